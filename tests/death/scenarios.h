/* scenarios.h - the operations that are tried, in their order. */
#ifndef DEATH_SCENARIOS_H
#define DEATH_SCENARIOS_H

#include "harness.h"

extern const struct operation *const scenarios[]; /* ends with NULL */

extern const struct operation segment_create_row, segment_open_row, segment_close_row,
	segment_unlink_row, slot_takeover_row;
extern const struct operation segment_create_path_row, transient_create_row, transient_close_row,
	transient_leave_row, transient_open_dead_row, transient_create_dead_row,
	segment_collect_row;
extern const struct operation thread_join_row, thread_takeover_row, thread_leave_row,
	thread_leave_holding_row;
extern const struct operation block_open_row, counter_open_row, sharded_open_row, mutex_open_row,
	condition_open_row, event_open_row, latch_open_row, once_open_row, rwlock_open_row;
extern const struct operation object_remove_row, object_remove_open_row, object_remove_waited_row,
	object_close_row, object_close_last_row, object_open_row, object_open_swept_row,
	object_make_again_row, segment_close_last_row, team_start_row, team_stop_row;
extern const struct operation mutex_lock_row, mutex_unlock_row, mutex_unlock_first_row,
	mutex_section_row, mutex_unlock_waited_row, mutex_asleep_row, mutex_woken_row,
	mutex_woken_first_row, mutex_timeout_row, mutex_relock_row, mutex_unlock_inner_row,
	mutex_unlock_outer_row, mutex_recover_row, mutex_repaired_row, mutex_unlock_damaged_row,
	mutex_unlock_repaired_row, object_repair_row;
extern const struct operation order_lock_row, order_lock_again_row, order_unlock_row,
	order_unlock_first_row, order_asleep_row, order_woken_row, order_recover_row,
	order_read_row, order_downgrade_row, order_make_row, order_free_row, order_join_row;
extern const struct operation condition_wait_row, condition_lapse_row, condition_timeout_row,
	condition_woken_row, condition_woken_first_row, condition_signal_row,
	condition_signal_waited_row, condition_broadcast_waited_row;
extern const struct operation event_set_row, event_set_waited_row, event_auto_set_waited_row,
	event_clear_row, event_wait_row, event_asleep_row, event_woken_row, event_woken_first_row,
	event_timeout_row;
extern const struct operation latch_count_row, latch_count_last_row, latch_asleep_row,
	latch_woken_row, latch_timeout_row;
extern const struct operation once_begin_row, once_done_row, once_give_up_row, once_run_row,
	once_done_waited_row, once_asleep_row, once_woken_row, once_elected_row, once_timeout_row,
	once_recover_row;
extern const struct operation barrier_open_row, barrier_attach_row, barrier_attach_dead_row,
	barrier_detach_row, barrier_last_row, barrier_first_row, barrier_woken_row,
	barrier_timeout_row, barrier_abort_row, barrier_break_row, barrier_reset_row,
	barrier_shrink_last_row, barrier_shrink_drop_row;
extern const struct operation snapshot_open_row, snapshot_publish_row, snapshot_publish_waited_row,
	snapshot_begin_row, snapshot_begin_again_row, snapshot_commit_row, snapshot_abort_row,
	snapshot_read_row, snapshot_asleep_row;
extern const struct operation rwlock_read_row, rwlock_read_first_row, rwlock_read_after_write_row,
	rwlock_read_fenced_row, rwlock_read_again_row, rwlock_read_cell_row, rwlock_unlock_read_row,
	rwlock_unlock_read_inner_row, rwlock_unlock_cell_row, rwlock_unlock_read_waited_row,
	rwlock_read_asleep_row, rwlock_read_woken_row, rwlock_read_timeout_row, rwlock_write_row,
	rwlock_write_biased_row, rwlock_write_fenced_row, rwlock_write_cells_row,
	rwlock_write_asleep_row, rwlock_write_woken_row, rwlock_write_cells_woken_row,
	rwlock_write_woken_by_writer_row, rwlock_write_timeout_row, rwlock_try_write_row,
	rwlock_section_row, rwlock_unlock_write_row, rwlock_unlock_write_waited_row,
	rwlock_unlock_write_read_row, rwlock_downgrade_row, rwlock_downgrade_waited_row,
	rwlock_downgrade_cell_row, rwlock_recover_row, rwlock_repaired_row,
	rwlock_unlock_damaged_row, rwlock_unlock_repaired_row;
extern const struct operation semaphore_open_row, semaphore_post_row, semaphore_post_n_row,
	semaphore_post_waited_row, semaphore_wait_row, semaphore_asleep_row, semaphore_woken_row,
	semaphore_woken_first_row, semaphore_timeout_row;
extern const struct operation permits_open_row, permits_acquire_row, permits_acquire_n_row,
	permits_release_row, permits_release_n_row, permits_release_waited_row, permits_asleep_row,
	permits_woken_row, permits_woken_first_row, permits_timeout_row, permits_sweep_row,
	permits_process_acquire_row, permits_process_release_row, permits_process_sweep_row;
extern const struct operation ring_open_row, channel_open_row, ring_put_row, ring_put_fixed_row,
	ring_put_skip_row, ring_put_many_row, ring_put_many_fixed_row, ring_reserve_row,
	ring_commit_row, ring_abort_row, ring_get_row, ring_get_fixed_row, ring_get_skip_row,
	ring_get_many_row, ring_get_many_fixed_row, ring_release_row, ring_writer_open_row,
	ring_reader_open_row, ring_writer_close_row, ring_reader_close_row,
	ring_writer_takeover_row, ring_reader_takeover_row, ring_fixed_takeover_row,
	ring_put_waited_row, ring_put_waited_fixed_row, ring_get_waited_row,
	ring_get_waited_fixed_row, ring_get_asleep_row, ring_get_woken_row, ring_get_timeout_row,
	ring_put_asleep_row, ring_put_woken_row, ring_put_timeout_row, ring_get_dead_row,
	ring_put_dead_row;
extern const struct operation channel_end_open_row, channel_end_takeover_row, channel_end_close_row;
extern const struct operation queue_open_row, queue_put_row, queue_put_many_row, queue_commit_row,
	queue_abort_row, queue_reserve_row, queue_get_row, queue_get_long_row, queue_get_many_row,
	queue_lease_row, queue_ack_row, queue_nack_row, queue_drop_row, queue_bury_row,
	queue_take_back_row, queue_skip_row, queue_put_waited_row, queue_get_asleep_row,
	queue_get_woken_row, queue_get_timeout_row, queue_put_asleep_row, queue_join_row,
	queue_close_row, queue_produce_begin_row, queue_produce_end_row;
extern const struct operation array_open_row, map_open_row, map_put_row, map_put_again_row,
	map_put_first_row, map_put_grow_row, map_remove_row, map_update_row, map_update_new_row,
	map_update_away_row, map_get_row, map_walk_row, map_clear_row, map_recover_row,
	map_free_row, array_add_row;
extern const struct operation loop_open_row, loop_begin_row, loop_begin_waited_row, loop_run_row,
	loop_run_waited_row, loop_take_over_row, loop_run_asleep_row, loop_run_woken_row,
	loop_fail_row, loop_cancel_row, loop_close_row;
extern const struct operation stage_first_row, stage_middle_row, stage_last_row, stage_in_order_row;
extern const struct operation pool_open_row, pool_submit_row, pool_submit_dropped_row,
	pool_submit_waited_row, pool_submit_asleep_row, pool_serve_row, pool_serve_once_row,
	pool_serve_asleep_row, pool_serve_woken_row, pool_serve_timeout_row, pool_again_row,
	pool_get_row, pool_get_asleep_row, pool_get_timeout_row, pool_cancel_row, pool_release_row,
	pool_join_row, pool_close_row, pool_close_cancel_row, pool_map_row, pool_any_row;
extern const struct operation counter_add_row, sharded_mine_row, sharded_add_row;
extern const struct operation memory_alloc_row, memory_alloc_aligned_row,
	memory_alloc_from_list_row, memory_publish_row, memory_push_row, memory_append_row,
	memory_free_row, memory_pop_row;

/* Programs that go about it wrongly, which the others must find out: for the self-test. */
extern const struct operation memory_linked_first_row, memory_linked_last_row;

#endif
