/* scenarios.h - the operations that are tried, in their order. */
#ifndef DEATH_SCENARIOS_H
#define DEATH_SCENARIOS_H

#include "harness.h"

extern const struct operation *const scenarios[]; /* ends with NULL */

extern const struct operation segment_create_row, segment_open_row, segment_close_row,
	segment_unlink_row, slot_takeover_row;
extern const struct operation thread_join_row, thread_takeover_row, thread_leave_row,
	thread_leave_holding_row;
extern const struct operation block_open_row, counter_open_row, sharded_open_row, mutex_open_row;
extern const struct operation mutex_lock_row, mutex_unlock_row, mutex_unlock_first_row,
	mutex_section_row, mutex_unlock_waited_row, mutex_asleep_row, mutex_woken_row,
	mutex_woken_first_row, mutex_timeout_row, mutex_relock_row, mutex_unlock_inner_row,
	mutex_unlock_outer_row, mutex_recover_row, mutex_repaired_row, mutex_unlock_damaged_row,
	mutex_unlock_repaired_row;
extern const struct operation semaphore_open_row, semaphore_post_row, semaphore_post_n_row,
	semaphore_post_waited_row, semaphore_wait_row, semaphore_asleep_row, semaphore_woken_row,
	semaphore_woken_first_row, semaphore_timeout_row;
extern const struct operation permits_open_row, permits_acquire_row, permits_acquire_n_row,
	permits_release_row, permits_release_n_row, permits_release_waited_row, permits_asleep_row,
	permits_woken_row, permits_woken_first_row, permits_timeout_row, permits_sweep_row,
	permits_process_acquire_row, permits_process_release_row, permits_process_sweep_row;
extern const struct operation counter_add_row, sharded_mine_row, sharded_add_row;
extern const struct operation memory_alloc_row, memory_alloc_aligned_row,
	memory_alloc_from_list_row, memory_publish_row, memory_push_row, memory_append_row,
	memory_free_row, memory_pop_row;

/* Programs that go about it wrongly, which the others must find out: for the self-test. */
extern const struct operation memory_linked_first_row, memory_linked_last_row;

#endif
