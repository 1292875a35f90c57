/*
 * ilk/semaphore.hpp - a semaphore with the names of std::counting_semaphore; see ilk/semaphore.h.
 *
 *	auto items = seg.open<ilk::counting_semaphore>("items", 0);
 *	items.release();                                        // a producer: one more is there
 *	...
 *	if (items.try_acquire_for(50ms))                        // a consumer: one is ours
 *		take_one();
 *
 * What the dead had acquired is spent: for permits that come back, see ilk/permits.h.
 */
#ifndef ILK_SEMAPHORE_HPP
#define ILK_SEMAPHORE_HPP

#include <ilk/segment.hpp>
#include <ilk/semaphore.h>

namespace ilk
{

class counting_semaphore : public handle_<ilk_semaphore>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit counting_semaphore(ilk_semaphore *s) noexcept : handle_(s)
	{
	}

	/* Finds or makes the semaphore NAME, which begins at DESIRED. */
	static counting_semaphore open(
		const segment &seg, const char *name, std::ptrdiff_t desired = 0)
	{
		return counting_semaphore(open_("ilk_semaphore_open", ilk_semaphore_open, seg, name,
			beginning_at(desired)));
	}

	/* Makes S, in memory of SEG, a semaphore: once, before anybody uses it. */
	static counting_semaphore init(const segment &seg, ilk_semaphore &s,
		std::ptrdiff_t desired = 0, const char *label = nullptr)
	{
		return counting_semaphore(init_("ilk_semaphore_init", ilk_semaphore_init, seg, s,
			label, beginning_at(desired)));
	}

	static constexpr std::ptrdiff_t max() noexcept
	{
		return ILK_SEMAPHORE_MAX;
	}

	/* Adds UPDATE, all or none: std::errc::value_too_large where that were more than max(). */
	void release(std::ptrdiff_t update = 1) const
	{
		if (update < 0)
			throw error("release", -EINVAL);
		if (update > max())
			throw error("release", -EOVERFLOW);
		if (update > 0)
			check_("ilk_semaphore_post_n",
				ilk_semaphore_post_n(get(), static_cast<unsigned>(update)));
	}

	void acquire() const
	{
		check_("ilk_semaphore_wait", ilk_semaphore_wait(get()));
	}

	/* False: none is there. */
	bool try_acquire() const
	{
		return tried_("ilk_semaphore_try_wait", ilk_semaphore_try_wait(get()));
	}

	/* False: none came in time. */
	template <class Rep, class Period>
	bool try_acquire_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return tried_(
			"ilk_semaphore_wait_until", ilk_semaphore_wait_until(get(), after(d)));
	}

	template <class Clock, class Duration>
	bool try_acquire_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		return tried_("ilk_semaphore_wait_until", until_(t, [this](ilk_time deadline) {
			return ilk_semaphore_wait_until(get(), deadline);
		}));
	}

	/* How many are there at this moment. */
	unsigned value() const
	{
		unsigned now = 0;

		check_("ilk_semaphore_value", ilk_semaphore_value(get(), &now));
		return now;
	}

      private:
	static ilk_semaphore_options beginning_at(std::ptrdiff_t desired)
	{
		sized<ilk_semaphore_options> options;

		options.value = unsigned_("ilk_semaphore_options", desired);
		return options;
	}
};

} // namespace ilk

#endif
