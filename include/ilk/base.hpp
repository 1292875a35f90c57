/*
 * ilk/base.hpp - exceptions and deadlines of the C++ headers; see ilk.hpp.
 */
#ifndef ILK_BASE_HPP
#define ILK_BASE_HPP

#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>

#include <ilk/base.h>

namespace ilk
{

/* --- exceptions --- */

/* A call failed: nothing was acquired, nothing happened. code() is the errno value. */
class error : public std::system_error
{
      public:
	/* CALL failed with RESULT; MORE, if not "", is what ilk_last_error() says. */
	error(const char *call, int result, const char *more = "")
	    : std::system_error(-result, std::generic_category(), text(call, result, more)),
	      result_(result)
	{
	}

	/* What the C function returned. */
	int result() const noexcept
	{
		return result_;
	}

      protected:
	/* One that comes with a result which is no failure. */
	error(std::errc code, const char *call, int result, const char *more)
	    : std::system_error(std::make_error_code(code), text(call, result, more)),
	      result_(result)
	{
	}

      private:
	static std::string text(const char *call, int result, const char *more)
	{
		std::string all = std::string(call) + ": " + ilk_strerror(result);

		if (*more != '\0')
			all += std::string(" (") + more + ")";
		return all;
	}

	int result_;
};

/*
 * You HOLD the lock: its last owner died holding it, and what it guards may be half-done. Thrown by
 * all that locks: lock(), try_lock() and their kin, lock_shared(), a condition's wait. No guard
 * knows that you hold it: the one whose constructor it was is not there, and the one that you gave
 * to a wait has let go of it. So whoever catches it does one of:
 *
 *	std::unique_lock held(m, std::adopt_lock);      // and puts right what m guards, and then
 *	m.repaired();
 *
 *	m.unlock();                                     // and leaves it to the next, who is told
 *
 * Uncaught, or caught by one who does neither, the lock stays held while the thread lives. Where
 * std::scoped_lock or std::lock throw it for one of several, they have let go of the others: is(m)
 * says which one is held.
 *
 *	for (;;) {
 *		try {
 *			std::scoped_lock both(from, to);
 *			return move_goods();
 *		} catch (const ilk::owner_died &death) {
 *			ilk::mutex &m = death.is(from) ? from : to;
 *			std::unique_lock held(m, std::adopt_lock);
 *			recount();
 *			m.repaired();
 *		}
 *	}
 */
class owner_died : public error
{
      public:
	owner_died(const void *object, bool shared)
	    : error(std::errc::owner_dead, shared ? "locked, for reading" : "locked", ILK_RECOVERED,
		      "you hold it, and no guard does: adopt it or unlock it"),
	      object_(object), shared_(shared)
	{
	}

	/* Is it this lock that you hold? */
	template <class Handle> bool is(const Handle &handle) const noexcept
	{
		return handle.get() == object_;
	}

	/* Do you hold it for reading? Then only who locks it for writing can put it right. */
	bool shared() const noexcept
	{
		return shared_;
	}

      private:
	const void *object_;
	bool shared_;
};

/* Private: throws owner_died; where there is no memory for that, lets C go and throws bad_alloc. */
template <class C> [[noreturn]] void throw_owner_died_(C *c, int (*unlock)(C *), bool shared)
{
	try {
		throw owner_died(c, shared);
	} catch (const owner_died &) {
		throw;
	} catch (...) {
		unlock(c);
		throw;
	}
}

/* Private: RC, where it is no failure. */
inline int check_(const char *call, int rc)
{
	if (rc < 0)
		throw error(call, rc);
	return rc;
}

/* Private: the same of a call that sets ilk_last_error(). */
inline int check_opened_(const char *call, int rc)
{
	if (rc < 0)
		throw error(call, rc, ilk_last_error());
	return rc;
}

/* Private: false where it was tried in vain, or until the deadline. */
inline bool tried_(const char *call, int rc)
{
	if (rc == -EBUSY || rc == -EAGAIN || rc == -ETIMEDOUT)
		return false;
	check_(call, rc);
	return true;
}

/* Private: a lock's tried_(). */
template <class C>
bool tried_lock_(const char *call, int rc, C *c, int (*unlock)(C *), bool shared = false)
{
	if (rc > 0 && (rc & ILK_RECOVERED) != 0)
		throw_owner_died_(c, unlock, shared);
	return tried_(call, rc);
}

/* --- deadlines --- */

/* Private: nanoseconds in 64 bits of mantissa or more, where no duration overflows. */
using wide_ = std::chrono::duration<long double, std::nano>;

/* Private: the same as a whole number, rounded up, saturated; no number is as none left. */
inline std::int64_t whole_(wide_ ns)
{
	const long double up = std::ceil(ns.count());

	if (up >= 0x1p63L)
		return INT64_MAX;
	return up > -0x1p63L ? static_cast<std::int64_t>(up) : INT64_MIN;
}

/* Private: how far ahead T lies. */
template <class Clock, class Duration>
wide_ left_(const std::chrono::time_point<Clock, Duration> &t)
{
	return wide_(t.time_since_epoch()) - wide_(Clock::now().time_since_epoch());
}

/* The deadline that lies D ahead, for the C functions. Negative: now. Too far: ILK_FOREVER. */
template <class Rep, class Period> ilk_time after(const std::chrono::duration<Rep, Period> &d)
{
	return ilk_after_ns(whole_(wide_(d)));
}

/* The deadline T, for the C functions; of another clock than steady_clock, as it goes now. */
template <class Clock, class Duration>
ilk_time deadline(const std::chrono::time_point<Clock, Duration> &t)
{
	return after(left_(t));
}

template <class Duration>
ilk_time deadline(const std::chrono::time_point<std::chrono::steady_clock, Duration> &t)
{
	const std::int64_t ns = whole_(wide_(t.time_since_epoch()));

	return ns > ILK_NOW ? ns : ILK_NOW;
}

/* Private: CALL(a deadline), again where it timed out and by T's own clock it is not over. */
template <class Clock, class Duration, class Call>
int until_(const std::chrono::time_point<Clock, Duration> &t, Call call)
{
	for (;;) {
		const int rc = call(deadline(t));

		if (rc != -ETIMEDOUT || !(left_(t).count() > 0))
			return rc;
	}
}

/* --- what all classes share --- */

/* A C struct of options, zero, with its size set. */
template <class C> struct sized : C {
	sized() : C{}
	{
		this->size = sizeof(C);
	}
};

/* Private: N as the C functions take it; what they could not, they would refuse. */
inline unsigned unsigned_(const char *call, std::ptrdiff_t n)
{
	if (n < 0 || n > INT_MAX)
		throw error(call, -EINVAL);
	return static_cast<unsigned>(n);
}

/* Private: a pointer to an object in a segment; copies mean the same object. */
template <class C> class handle_
{
      public:
	explicit handle_(C *object) noexcept : object_(object)
	{
	}

	C *get() const noexcept
	{
		return object_;
	}

      private:
	C *object_;
};

} // namespace ilk

#endif
