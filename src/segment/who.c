/* who.c - what people call a thread: as its slots say, which may be another's by now. */
#include "segment/member.h"
#include <string.h>

void ilk_who_is_(const struct ilk_map_ *map, uint32_t owner, struct ilk_who_ *who)
{
	uint32_t slot = ilk_owner_slot_(owner), process;
	const struct ilk_thread_slot_ *thread;

	*who = (struct ilk_who_){.pid = 0};
	if (slot >= map->header.thread_slots)
		return;
	thread = ilk_thread_slot_(map, slot);
	who->tid = thread->tid;
	memcpy(who->name, thread->name, sizeof who->name - 1);
	process = ilk_life_process_(ilk_load_acquire_(&thread->life));
	if (process > 0 && process <= map->header.process_slots)
		who->pid = ilk_process_slot_(map, process - 1)->pid;
}
