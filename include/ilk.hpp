/*
 * ilk.hpp - Ilk in C++17, header-only: RAII, the standard library's lock guards, std::chrono.
 *
 *	auto seg = ilk::segment::create("shop");                // made, or opened if it is there
 *	auto m = seg.open<ilk::mutex>("stock");                 // the same in every process
 *	auto &shelf = seg.block<Shelf>("shelf");                // zeros at first
 *	auto held = ilk::lock(m, [&] { recount(shelf); });      // a std::unique_lock<ilk::mutex>
 *	shelf.left--;
 *
 * recount() runs, with the mutex held, where its last owner died holding it. Without it:
 *
 *	try {
 *		std::scoped_lock held(m);
 *		shelf.left--;
 *	} catch (const ilk::owner_died &) {                     // m is held, and no guard knows it
 *		std::unique_lock held(m, std::adopt_lock);
 *		recount(shelf);
 *		m.repaired();
 *		shelf.left--;
 *	}
 *
 * What it is: each class holds one pointer to the C object, which lies in the segment; copying it
 * copies that. get() is the C object, for what is not here. What the C headers say of order,
 * progress, deaths and lifetimes holds. Nothing is allocated but the text of exceptions. A handle
 * is void when its segment is closed, and a lock guard points to the handle that it was made of.
 *
 * Results: what the C headers list as -E... is thrown as ilk::error; what a std namesake says by
 * false or std::cv_status (busy, none there, timed out) is said so here. Unlocking never throws.
 *
 * Deadlines may be of any clock. Those of std::chrono::steady_clock, which is CLOCK_MONOTONIC, are
 * taken as they are. Of another clock it is asked again when the wait is over, so that a
 * system_clock that was set back meanwhile makes it longer; one that was set forward does not end
 * it early. Too far away means for ever, too long ago means now.
 */
#ifndef ILK_HPP
#define ILK_HPP

#include <ilk.h>
#include <ilk/base.hpp>
#include <ilk/segment.hpp>
#include <ilk/mutex.hpp>
#include <ilk/shared_mutex.hpp>
#include <ilk/condition.hpp>
#include <ilk/semaphore.hpp>
#include <ilk/barrier.hpp>
#include <ilk/latch.hpp>

#endif
