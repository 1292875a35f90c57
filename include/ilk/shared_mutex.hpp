/*
 * ilk/shared_mutex.hpp - many read, or one writes: for std::shared_lock and std::unique_lock; see
 * ilk/rwlock.h.
 *
 *	auto prices = seg.open<ilk::shared_mutex>("prices");
 *	std::shared_lock reading(prices);
 *	sum += table.price[i];
 *
 * All that locks throws ilk::owner_died where a writer died in it, and leaves it HELD, for reading or
 * for writing as was asked. A reader cannot put it right; ilk::lock_shared() does it all:
 *
 *	auto reading = ilk::lock_shared(prices, [&] { recompute(table); });
 */
#ifndef ILK_SHARED_MUTEX_HPP
#define ILK_SHARED_MUTEX_HPP

#include <shared_mutex>

#include <ilk/mutex.hpp>
#include <ilk/rwlock.h>

namespace ilk
{

/* flags: ILK_RWLOCK_WRITES. */
using shared_mutex_options = sized<ilk_rwlock_options>;

class shared_mutex : public handle_<ilk_rwlock>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit shared_mutex(ilk_rwlock *l) noexcept : handle_(l)
	{
	}

	/* Finds or makes the lock NAME. */
	static shared_mutex open(const segment &seg, const char *name,
		const ilk_rwlock_options &options = shared_mutex_options())
	{
		return shared_mutex(open_("ilk_rwlock_open", ilk_rwlock_open, seg, name, options));
	}

	/* Makes L, in memory of SEG, an unlocked lock: once, before anybody uses it. */
	static shared_mutex init(const segment &seg, ilk_rwlock &l, const char *label = nullptr,
		const ilk_rwlock_options &options = shared_mutex_options())
	{
		return shared_mutex(
			init_("ilk_rwlock_init", ilk_rwlock_init, seg, l, label, options));
	}

	/* For writing. As ilk::mutex's. */
	void lock() const
	{
		took("ilk_rwlock_write", ilk_rwlock_write(get()));
	}

	bool try_lock() const
	{
		return took("ilk_rwlock_try_write", ilk_rwlock_try_write(get()));
	}

	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return took("ilk_rwlock_write_until", ilk_rwlock_write_until(get(), after(d)));
	}

	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		return took("ilk_rwlock_write_until", until_(t, [this](ilk_time deadline) {
			return ilk_rwlock_write_until(get(), deadline);
		}));
	}

	void unlock() const noexcept
	{
		ilk_rwlock_unlock(get());
	}

	/* For writing. True: a writer died in it. It is held in either case. */
	bool lock_recovered() const
	{
		return (check_("ilk_rwlock_write", ilk_rwlock_write(get())) & ILK_RECOVERED) != 0;
	}

	/* Held for writing: what it guards has been put right. */
	void repaired() const
	{
		check_("ilk_rwlock_repaired", ilk_rwlock_repaired(get()));
	}

	/* Goes from writing to reading, with no writer in between. Throws: still writing. */
	void downgrade() const
	{
		check_("ilk_rwlock_downgrade", ilk_rwlock_downgrade(get()));
	}

	/* For reading. Throws owner_died, with shared() true: held for reading. */
	void lock_shared() const
	{
		took("ilk_rwlock_read", ilk_rwlock_read(get()), true);
	}

	bool try_lock_shared() const
	{
		return took("ilk_rwlock_try_read", ilk_rwlock_try_read(get()), true);
	}

	template <class Rep, class Period>
	bool try_lock_shared_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return took("ilk_rwlock_read_until", ilk_rwlock_read_until(get(), after(d)), true);
	}

	template <class Clock, class Duration>
	bool try_lock_shared_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		const int rc = until_(t, [this](ilk_time deadline) {
			return ilk_rwlock_read_until(get(), deadline);
		});

		return took("ilk_rwlock_read_until", rc, true);
	}

	void unlock_shared() const noexcept
	{
		ilk_rwlock_unlock(get());
	}

	/* For reading. True: a writer died in it. It is held in either case. */
	bool lock_shared_recovered() const
	{
		return (check_("ilk_rwlock_read", ilk_rwlock_read(get())) & ILK_RECOVERED) != 0;
	}

      private:
	bool took(const char *call, int rc, bool shared = false) const
	{
		return tried_lock_(call, rc, get(), ilk_rwlock_unlock, shared);
	}
};

/* Goes from writing to reading, guard and all. Where it throws, WRITING holds as it did. */
inline std::shared_lock<shared_mutex> downgrade(std::unique_lock<shared_mutex> &&writing)
{
	if (!writing.owns_lock())
		throw error("downgrade", -EPERM);
	writing.mutex()->downgrade();
	return std::shared_lock<shared_mutex>(*writing.release(), std::adopt_lock);
}

/*
 * Locks M for reading; where a writer died in it, locks it for writing first, calls REPAIR() and
 * M.repaired() (another may have been faster; then it is not called), and goes over to reading.
 */
template <class Repair> std::shared_lock<shared_mutex> lock_shared(shared_mutex &m, Repair repair)
{
	const bool died = m.lock_shared_recovered();
	std::shared_lock<shared_mutex> reading(m, std::adopt_lock);

	if (!died)
		return reading;
	reading.unlock();
	return downgrade(ilk::lock(m, repair));
}

} // namespace ilk

#endif
