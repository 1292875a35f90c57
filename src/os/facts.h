/* facts.h - what the kernel says of a process: for people to read, and to tell boots apart. */
#ifndef ILK_OS_FACTS_H
#define ILK_OS_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct ilk_facts_ {
	int32_t pid;
	uint32_t uid;
	uint64_t start_time; /* clock ticks since boot; 0 unknown */
	uint64_t pid_space;  /* inode of its pid namespace; 0 unknown */
	char name[32];
};

/* Of this process. */
void ilk_facts_of_self_(struct ilk_facts_ *facts);

/* What the kernel says of a process now. */
struct ilk_run_ {
	char state; /* 'R', 'S', 'T', 'Z', ...; '?': nothing is known of it */
	uint64_t start_time;
	int tasks; /* threads that it has */
};

void ilk_run_of_(int32_t pid, struct ilk_run_ *run);

/* The same state of its thread TID. */
char ilk_thread_state_(int32_t pid, int32_t tid);

/* Is process PID dumping core? */
int ilk_is_dumping_(int32_t pid);

/* Is there no process PID in our pid namespace, or only its zombie? */
int ilk_pid_is_gone_(int32_t pid);

/* Inode of this process's pid namespace; 0 unknown. */
uint64_t ilk_pid_space_(void);

int32_t ilk_thread_id_(void);
void ilk_thread_name_(char *name, size_t size);

/* 16 bytes that differ from boot to boot; zero where /proc is not there. */
void ilk_boot_id_(uint8_t id[16]);

void ilk_random_(void *bytes, size_t count);

#endif
