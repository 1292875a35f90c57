/*
 * ilk/mutex.hpp - a mutex for std::unique_lock, std::lock_guard and std::scoped_lock; see ilk/mutex.h.
 *
 *	std::unique_lock held(m, std::chrono::milliseconds(50));
 *	if (held)
 *		shelf.left--;
 *
 * All that locks throws ilk::owner_died where the last owner died holding it, and leaves it HELD:
 * ilk/base.hpp says what to do then. Who would rather be told than thrown at:
 *
 *	const bool died = m.lock_recovered();
 *	std::unique_lock held(m, std::adopt_lock);
 *	if (died) {
 *		recount(shelf);
 *		m.repaired();
 *	}
 */
#ifndef ILK_MUTEX_HPP
#define ILK_MUTEX_HPP

#include <mutex>

#include <ilk/mutex.h>
#include <ilk/segment.hpp>

namespace ilk
{

/* flags: ILK_MUTEX_RECURSIVE. */
using mutex_options = sized<ilk_mutex_options>;

using mutex_owner = struct ilk_mutex_owner;

class mutex : public handle_<ilk_mutex>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit mutex(ilk_mutex *m) noexcept : handle_(m)
	{
	}

	/* Finds or makes the mutex NAME. */
	static mutex open(const segment &seg, const char *name,
		const ilk_mutex_options &options = mutex_options())
	{
		return mutex(open_("ilk_mutex_open", ilk_mutex_open, seg, name, options));
	}

	/* Makes M, in memory of SEG, an unlocked mutex: once, before anybody uses it. */
	static mutex init(const segment &seg, ilk_mutex &m, const char *label = nullptr,
		const ilk_mutex_options &options = mutex_options())
	{
		return mutex(init_("ilk_mutex_init", ilk_mutex_init, seg, m, label, options));
	}

	/* Throws owner_died: held. Throws error: not held; resource_deadlock_would_occur among them. */
	void lock() const
	{
		took("ilk_mutex_lock", ilk_mutex_lock(get()));
	}

	/* False: a living owner holds it. Throws as lock(). */
	bool try_lock() const
	{
		return took("ilk_mutex_try_lock", ilk_mutex_try_lock(get()));
	}

	/* False: it was not to be had in time. Throws as lock(). */
	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return took("ilk_mutex_lock_until", ilk_mutex_lock_until(get(), after(d)));
	}

	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		return took("ilk_mutex_lock_until", until_(t, [this](ilk_time deadline) {
			return ilk_mutex_lock_until(get(), deadline);
		}));
	}

	/* Not held, it is left as it is; ilk_mutex_unlock(get()) would say so. */
	void unlock() const noexcept
	{
		ilk_mutex_unlock(get());
	}

	/* Locks. True: the last owner died holding it. It is held in either case. */
	bool lock_recovered() const
	{
		return (check_("ilk_mutex_lock", ilk_mutex_lock(get())) & ILK_RECOVERED) != 0;
	}

	/* What it guards has been put right; whoever locks it later is told of no death. */
	void repaired() const
	{
		check_("ilk_mutex_repaired", ilk_mutex_repaired(get()));
	}

	/* Who holds it at this moment. */
	mutex_owner owner() const
	{
		mutex_owner now{};

		check_("ilk_mutex_owner", ilk_mutex_owner(get(), &now));
		return now;
	}

      private:
	bool took(const char *call, int rc) const
	{
		return tried_lock_(call, rc, get(), ilk_mutex_unlock);
	}
};

/*
 * Locks M, a mutex or a shared_mutex, and where its last owner died calls REPAIR() and
 * M.repaired() first. What REPAIR throws comes out, with M not held and still damaged. M must live as
 * long as the guard.
 */
template <class Mutex, class Repair> std::unique_lock<Mutex> lock(Mutex &m, Repair repair)
{
	const bool died = m.lock_recovered();
	std::unique_lock<Mutex> held(m, std::adopt_lock);

	if (died) {
		repair();
		m.repaired();
	}
	return held;
}

} // namespace ilk

#endif
