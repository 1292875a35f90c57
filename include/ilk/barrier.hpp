/*
 * ilk/barrier.hpp - all meet, and go on together; nobody waits for the dead. See ilk/barrier.h.
 *
 *	auto steps = seg.open<ilk::barrier>("steps", 3);
 *	try {
 *		while (compute_my_part())
 *			if (steps.arrive_and_wait())
 *				print_progress();               // one of the three, in each phase
 *	} catch (const ilk::barrier_broken &b) {
 *		std::cerr << "lost " << b.status().name << '\n';
 *	}
 *
 * The names are those of std::barrier where the sense is, too. Members are threads, which join by
 * waiting and stay until arrive_and_drop(). There is no arrive() that does not wait.
 */
#ifndef ILK_BARRIER_HPP
#define ILK_BARRIER_HPP

#include <ilk/barrier.h>
#include <ilk/segment.hpp>

namespace ilk
{

using barrier_status = struct ilk_barrier_status;

/*
 * Somebody will not come: he died, ran out of time, or aborted. status() says which, and who, as it
 * stood when this was thrown: another may have mended the barrier by then.
 */
class barrier_broken : public error
{
      public:
	barrier_broken(const char *call, int result, const barrier_status &status)
	    : error(call, result, status.name), status_(status)
	{
	}

	const barrier_status &status() const noexcept
	{
		return status_;
	}

	/* Did a member die? */
	bool by_death() const noexcept
	{
		return status_.cause == ILK_BARRIER_DEATH;
	}

      private:
	barrier_status status_;
};

class barrier : public handle_<ilk_barrier>
{
      public:
	/* One that is embedded in a struct of yours, and initialized. */
	explicit barrier(ilk_barrier *b) noexcept : handle_(b)
	{
	}

	/* Finds or makes the barrier NAME; PARTIES 0: whoever is attached. FLAGS: ILK_BARRIER_... */
	static barrier open(
		const segment &seg, const char *name, std::ptrdiff_t parties, unsigned flags = 0)
	{
		return barrier(open_("ilk_barrier_open", ilk_barrier_open, seg, name,
			options_of(parties, flags)));
	}

	/* Makes B, in memory of SEG, a barrier: once, before anybody uses it. */
	static barrier init(const segment &seg, ilk_barrier &b, std::ptrdiff_t parties,
		unsigned flags = 0, const char *label = nullptr)
	{
		return barrier(init_("ilk_barrier_init", ilk_barrier_init, seg, b, label,
			options_of(parties, flags)));
	}

	/* Becomes a member, which a wait does by itself. */
	void attach() const
	{
		arrived("ilk_barrier_attach", ilk_barrier_attach(get()));
	}

	/* True: of all members, you do what one must do. Throws barrier_broken. */
	bool arrive_and_wait() const
	{
		return arrived("ilk_barrier_wait", ilk_barrier_wait(get()));
	}

	/*
	 * The same, until T at most: too late, the barrier is broken, for all, by you; the result in the
	 * barrier_broken is -ETIMEDOUT then. What another clock than steady_clock does during the wait
	 * makes no difference.
	 */
	template <class Clock, class Duration>
	bool arrive_and_wait_until(const std::chrono::time_point<Clock, Duration> &t) const
	{
		return arrived(
			"ilk_barrier_wait_until", ilk_barrier_wait_until(get(), deadline(t)));
	}

	template <class Rep, class Period>
	bool arrive_and_wait_for(const std::chrono::duration<Rep, Period> &d) const
	{
		return arrived("ilk_barrier_wait_until", ilk_barrier_wait_until(get(), after(d)));
	}

	/*
	 * Is a member no more. Unlike std::barrier's, with a number of parties (and no
	 * ILK_BARRIER_SHRINK) it leaves a place, and the others wait until somebody takes it.
	 */
	void arrive_and_drop() const
	{
		check_("ilk_barrier_detach", ilk_barrier_detach(get()));
	}

	/* Breaks it; mends it. */
	void abort() const
	{
		check_("ilk_barrier_abort", ilk_barrier_abort(get()));
	}

	void reset() const
	{
		check_("ilk_barrier_reset", ilk_barrier_reset(get()));
	}

	/* How it stands at this moment. */
	barrier_status status() const
	{
		barrier_status now{};

		check_("ilk_barrier_status", ilk_barrier_status(get(), &now));
		return now;
	}

      private:
	static ilk_barrier_options options_of(std::ptrdiff_t parties, unsigned flags)
	{
		sized<ilk_barrier_options> options;

		options.parties = unsigned_("ilk_barrier_options", parties);
		options.flags = flags;
		return options;
	}

	bool arrived(const char *call, int rc) const
	{
		if (rc == -EPIPE || rc == -ETIMEDOUT)
			throw barrier_broken(call, rc, status());
		return (check_(call, rc) & ILK_ELECTED) != 0;
	}
};

} // namespace ilk

#endif
