/*
 * ilk/latch.hpp - a count that falls to zero once, with the names of std::latch; see ilk/latch.h.
 *
 *	auto loaded = seg.open<ilk::latch>("loaded", 4);
 *	loaded.count_down();                                    // in each of those who load a part
 *	...
 *	if (!loaded.wait_for(5s))                               // in those who need all of them
 *		give_up();
 */
#ifndef ILK_LATCH_HPP
#define ILK_LATCH_HPP

#include <ilk/latch.h>
#include <ilk/segment.hpp>

namespace ilk
{

class latch : public handle_<ilk_latch>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit latch(ilk_latch *l) noexcept : handle_(l)
	{
	}

	/* Finds or makes the latch NAME, of EXPECTED counts; 0 means 1, as in C. */
	static latch open(const segment &seg, const char *name, std::ptrdiff_t expected)
	{
		return latch(open_("ilk_latch_open", ilk_latch_open, seg, name, of(expected)));
	}

	/* Makes L, in memory of SEG, a latch: once, before anybody uses it. */
	static latch init(const segment &seg, ilk_latch &l, std::ptrdiff_t expected,
		const char *label = nullptr)
	{
		return latch(init_("ilk_latch_init", ilk_latch_init, seg, l, label, of(expected)));
	}

	static constexpr std::ptrdiff_t max() noexcept
	{
		return ILK_LATCH_MOST;
	}

	/* Less than UPDATE was left: std::errc::result_out_of_range, and nothing was counted. */
	void count_down(std::ptrdiff_t update = 1) const
	{
		if (update < 0 || update > max())
			throw error("count_down", -ERANGE);
		check_("ilk_latch_count_down",
			ilk_latch_count_down(get(), static_cast<unsigned>(update)));
	}

	/* Is it open? */
	bool try_wait() const
	{
		return left() == 0;
	}

	void wait() const
	{
		check_("ilk_latch_wait", ilk_latch_wait(get()));
	}

	void arrive_and_wait(std::ptrdiff_t update = 1) const
	{
		count_down(update);
		wait();
	}

	/* False: it was not open in time. */
	template <class Rep, class Period>
	bool wait_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return tried_("ilk_latch_wait_until", ilk_latch_wait_until(get(), after(d)));
	}

	template <class Clock, class Duration>
	bool wait_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		return tried_("ilk_latch_wait_until", until_(t, [this](ilk_time deadline) {
			return ilk_latch_wait_until(get(), deadline);
		}));
	}

	/* What is to be counted yet, at this moment. */
	unsigned left() const
	{
		unsigned now = 0;

		check_("ilk_latch_left", ilk_latch_left(get(), &now));
		return now;
	}

      private:
	static ilk_latch_options of(std::ptrdiff_t expected)
	{
		sized<ilk_latch_options> options;

		options.count = unsigned_("ilk_latch_options", expected);
		return options;
	}
};

} // namespace ilk

#endif
