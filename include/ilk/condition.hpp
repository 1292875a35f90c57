/*
 * ilk/condition.hpp - waiting, under an ilk::mutex, until something is so; see ilk/condition.h.
 *
 *	auto filled = seg.open<ilk::condition>("filled");
 *	std::unique_lock held(m);
 *	if (filled.wait_for(held, 500ms, [&] { return shelf.left > 0; }))
 *		shelf.left--;
 *
 * The names are those of std::condition_variable. A wait throws
 *
 *	ilk::owner_died   the mutex is held, and the guard has let go of it: adopt it, as after
 *	                  lock(). The predicate was not looked at.
 *	ilk::error        -ENOTRECOVERABLE, -ECANCELED: the mutex is not held, and the guard has let
 *	                  go of it. Others: mutex and guard are as before the wait.
 */
#ifndef ILK_CONDITION_HPP
#define ILK_CONDITION_HPP

#include <condition_variable>

#include <ilk/condition.h>
#include <ilk/mutex.hpp>

namespace ilk
{

class condition : public handle_<ilk_condition>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit condition(ilk_condition *c) noexcept : handle_(c)
	{
	}

	/* Finds or makes the condition NAME. */
	static condition open(const segment &seg, const char *name)
	{
		ilk_condition *c = nullptr;

		check_opened_("ilk_condition_open", ilk_condition_open(seg.get(), name, &c));
		return condition(c);
	}

	/* Makes C, in memory of SEG, a condition: once, before anybody uses it. */
	static condition init(const segment &seg, ilk_condition &c, const char *label = nullptr)
	{
		check_("ilk_condition_init", ilk_condition_init(seg.get(), &c, label));
		return condition(&c);
	}

	void notify_one() const
	{
		check_("ilk_condition_signal", ilk_condition_signal(get()));
	}

	void notify_all() const
	{
		check_("ilk_condition_broadcast", ilk_condition_broadcast(get()));
	}

	/* Until notified, or now and then by itself. */
	void wait(std::unique_lock<mutex> &lock) const
	{
		wait_once(lock, ILK_FOREVER);
	}

	/* Until PREDICATE(), which is called with the mutex held. */
	template <class Predicate>
	void wait(std::unique_lock<mutex> &lock, Predicate predicate) const
	{
		while (!predicate())
			wait(lock);
	}

	template <class Clock, class Duration>
	std::cv_status wait_until(std::unique_lock<mutex> &lock,
		const std::chrono::time_point<Clock, Duration> &t) const
	{
		wait_once(lock, deadline(t));
		return left_(t).count() > 0 ? std::cv_status::no_timeout : std::cv_status::timeout;
	}

	/* What PREDICATE() said last; false means that it is too late. */
	template <class Clock, class Duration, class Predicate>
	bool wait_until(std::unique_lock<mutex> &lock,
		const std::chrono::time_point<Clock, Duration> &t, Predicate predicate) const
	{
		while (!predicate())
			if (wait_until(lock, t) == std::cv_status::timeout)
				return predicate();
		return true;
	}

	template <class Rep, class Period>
	std::cv_status wait_for(
		std::unique_lock<mutex> &lock, const std::chrono::duration<Rep, Period> &d) const
	{
		return wait_once(lock, after(d));
	}

	template <class Rep, class Period, class Predicate>
	bool wait_for(std::unique_lock<mutex> &lock, const std::chrono::duration<Rep, Period> &d,
		Predicate predicate) const
	{
		const ilk_time deadline = after(d);

		while (!predicate())
			if (wait_once(lock, deadline) == std::cv_status::timeout)
				return predicate();
		return true;
	}

      private:
	std::cv_status wait_once(std::unique_lock<mutex> &lock, ilk_time deadline) const
	{
		const int rc = lock.owns_lock() ? ilk_condition_wait_until(
							  get(), lock.mutex()->get(), deadline)
						: -EPERM;

		if (rc == -ENOTRECOVERABLE || rc == -ECANCELED)
			lock.release();
		check_("ilk_condition_wait", rc);
		if ((rc & ILK_RECOVERED) != 0)
			throw_owner_died_(lock.release()->get(), ilk_mutex_unlock, false);
		return (rc & ILK_TIMED_OUT) != 0 ? std::cv_status::timeout
						 : std::cv_status::no_timeout;
	}
};

} // namespace ilk

#endif
