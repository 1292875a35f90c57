/*
 * ilk/segment.hpp - a segment that is closed when its variable goes; see ilk/segment.h.
 *
 *	ilk::segment_options options;
 *	options.bytes = 4 << 20;
 *	auto seg = ilk::segment::create("shop", options);
 *	auto &shelf = seg.block<Shelf>("shelf");
 *	auto stock = seg.open<ilk::mutex>("stock");
 *	auto items = seg.open<ilk::counting_semaphore>("items", 3);
 */
#ifndef ILK_SEGMENT_HPP
#define ILK_SEGMENT_HPP

#include <type_traits>
#include <utility>

#include <ilk/base.hpp>
#include <ilk/object.h>
#include <ilk/segment.h>

namespace ilk
{

/* bytes, mode, processes, threads, flags; 0 means default. */
using segment_options = sized<ilk_segment_options>;

/*
 * An attachment, which one variable owns: it can be moved, not copied. The functions throw what the
 * C ones of their names return; the texts say what ilk_last_error() says.
 */
class segment
{
      public:
	/* No segment. */
	segment() noexcept = default;

	/* Takes over what a C function attached. */
	explicit segment(ilk_segment *seg) noexcept : seg_(seg)
	{
	}

	segment(segment &&other) noexcept : seg_(other.release())
	{
	}

	segment &operator=(segment &&other) noexcept
	{
		if (this != &other) {
			close();
			seg_ = other.release();
		}
		return *this;
	}

	~segment()
	{
		close();
	}

	/* Makes it, or opens it if it is there. */
	static segment create(const char *name, const segment_options &options = {})
	{
		ilk_segment *seg = nullptr;

		check_opened_("ilk_segment_create", ilk_segment_create(name, &options, &seg));
		return segment(seg);
	}

	static segment open(const char *name, const segment_options &options = {})
	{
		ilk_segment *seg = nullptr;

		check_opened_("ilk_segment_open", ilk_segment_open(name, &options, &seg));
		return segment(seg);
	}

	/* The same, waiting until T for it to appear; std::errc::timed_out where it did not. */
	template <class Clock, class Duration>
	static segment open_until(const char *name,
		const std::chrono::time_point<Clock, Duration> &t,
		const segment_options &options = {})
	{
		ilk_segment *seg = nullptr;

		check_opened_("ilk_segment_open_until", until_(t, [&](ilk_time deadline) {
			return ilk_segment_open_until(name, &options, deadline, &seg);
		}));
		return segment(seg);
	}

	/* Without a name: children that are forked inherit it. LABEL may be NULL. */
	static segment anonymous(const char *label = nullptr, const segment_options &options = {})
	{
		ilk_segment *seg = nullptr;

		check_opened_(
			"ilk_segment_anonymous", ilk_segment_anonymous(label, &options, &seg));
		return segment(seg);
	}

	/* From and to another process, over a connected Unix socket. */
	static segment receive(int socket, const segment_options &options = {})
	{
		ilk_segment *seg = nullptr;

		check_opened_("ilk_segment_receive", ilk_segment_receive(socket, &options, &seg));
		return segment(seg);
	}

	void send(int socket) const
	{
		check_("ilk_segment_send", ilk_segment_send(seg_, socket));
	}

	/* Removes the name; who is attached goes on. */
	static void unlink(const char *name)
	{
		check_opened_("ilk_segment_unlink", ilk_segment_unlink(name));
	}

	/* Detaches; what was opened in it is void from here on. */
	void close() noexcept
	{
		ilk_segment_close(release());
	}

	/* Gives the attachment away, to be closed by the caller. */
	ilk_segment *release() noexcept
	{
		return std::exchange(seg_, nullptr);
	}

	ilk_segment *get() const noexcept
	{
		return seg_;
	}

	explicit operator bool() const noexcept
	{
		return seg_ != nullptr;
	}

	const char *name() const noexcept
	{
		return ilk_segment_name(seg_);
	}

	std::size_t bytes() const noexcept
	{
		return ilk_segment_bytes(seg_);
	}

	/*
	 * Finds or makes the object NAME: open<ilk::mutex>("stock"), and so on; what follows NAME is
	 * that class's: see its open().
	 */
	template <class Handle, class... Rest> Handle open(const char *name, Rest &&...rest) const
	{
		return Handle::open(*this, name, std::forward<Rest>(rest)...);
	}

	/*
	 * Finds or makes the block NAME, for one T: zeros at first, and no constructor runs, since
	 * others may be in it already. T is one that bytes make up, without pointers to anything
	 * that other processes see elsewhere.
	 */
	template <class T> T &block(const char *name) const
	{
		static_assert(std::is_trivially_copyable<T>::value, "others see its bytes alone");
		static_assert(alignof(T) <= 64, "blocks are aligned to 64");
		void *memory = nullptr;

		check_opened_("ilk_block_open", ilk_block_open(seg_, name, sizeof(T), &memory));
		return *static_cast<T *>(memory);
	}

	/* Removes the name of an object or block. */
	void remove(const char *name) const
	{
		check_opened_("ilk_object_remove", ilk_object_remove(seg_, name));
	}

	/* Checks all of it; std::errc::bad_message, with what is wrong, where it is not as it should be. */
	void validate() const
	{
		check_opened_("ilk_segment_valid", ilk_segment_valid(seg_));
	}

      private:
	ilk_segment *seg_ = nullptr;
};

/* Private: what open() of a class with options is made of. */
template <class C, class Options>
C *open_(const char *call, int (*open)(ilk_segment *, const char *, const Options *, C **),
	const segment &seg, const char *name, const Options &options)
{
	C *object = nullptr;

	check_opened_(call, open(seg.get(), name, &options, &object));
	return object;
}

/* Private: the same of init(), for a C struct that lies in a block. */
template <class C, class Options>
C *init_(const char *call, int (*init)(ilk_segment *, C *, const char *, const Options *),
	const segment &seg, C &object, const char *label, const Options &options)
{
	check_opened_(call, init(seg.get(), &object, label, &options));
	return &object;
}

} // namespace ilk

#endif
