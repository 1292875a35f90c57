/*
 * snapshot_bytes.h - the bytes of a value, out of a copy that may be written meanwhile, and into one
 * that may be read meanwhile: [I4] of snapshot.c.
 */
#ifndef ILK_SYNC_SNAPSHOT_BYTES_H
#define ILK_SYNC_SNAPSHOT_BYTES_H

#include <ilk/atomics.h>
#include <string.h>

/* ThreadSanitizer is to see each access. */
#if defined(__SANITIZE_THREAD__)
#define ILK_SNAPSHOT_BY_WORDS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ILK_SNAPSHOT_BY_WORDS 1
#endif
#endif
#ifndef ILK_SNAPSHOT_BY_WORDS
#define ILK_SNAPSHOT_BY_WORDS 0
#endif

enum { WORD = 8, LINE = 64, LEAST_STRING = 1024 };

/* One word out of a copy, or into it. The other side may lie anywhere. */
static inline void word_out(char *to, const uint64_t *from, size_t bytes)
{
	uint64_t word = ilk_load_relaxed_(from); /* [I4] */

	memcpy(to, &word, bytes);
}

static inline void word_in(uint64_t *to, const char *from, size_t bytes)
{
	uint64_t word = 0;

	memcpy(&word, from, bytes);
	ilk_store_relaxed_(to, word); /* [I4] */
}

/* A line; written out, since compilers leave such a loop as it is. */
static inline void line_out(char *to, const uint64_t *from)
{
	word_out(to, from, WORD);
	word_out(to + WORD, from + 1, WORD);
	word_out(to + 2 * WORD, from + 2, WORD);
	word_out(to + 3 * WORD, from + 3, WORD);
	word_out(to + 4 * WORD, from + 4, WORD);
	word_out(to + 5 * WORD, from + 5, WORD);
	word_out(to + 6 * WORD, from + 6, WORD);
	word_out(to + 7 * WORD, from + 7, WORD);
}

/*
 * Large ones: as fast as memcpy, and what the compiler does not see it cannot take apart. The
 * processor keeps a string operation whole between the stores, and the loads, before and after it
 * (Intel's manual, volume 3, "Fast-string operation and out-of-order stores").
 */
static inline int is_string(size_t bytes)
{
#if defined(__x86_64__) && !ILK_SNAPSHOT_BY_WORDS
	return bytes >= LEAST_STRING;
#else
	(void)bytes;
	return 0;
#endif
}

static inline void copy_string(void *to, const void *from, size_t bytes)
{
#if defined(__x86_64__)
	__asm__ __volatile__("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
#else
	(void)to, (void)from, (void)bytes;
#endif
}

static inline void ilk_snapshot_out_(void *to, const uint64_t *from, size_t bytes)
{
	char *at = to;

	if (is_string(bytes)) {
		copy_string(to, from, bytes);
		return;
	}
	for (; bytes >= LINE; bytes -= LINE, at += LINE, from += LINE / WORD)
		line_out(at, from);
	for (; bytes >= WORD; bytes -= WORD, at += WORD, from++)
		word_out(at, from, WORD);
	if (bytes)
		word_out(at, from, bytes);
}

static inline void ilk_snapshot_in_(uint64_t *to, const void *from, size_t bytes)
{
	const char *at = from;

	if (is_string(bytes)) {
		copy_string(to, from, bytes);
		return;
	}
	for (; bytes >= WORD; bytes -= WORD, at += WORD, to++)
		word_in(to, at, WORD);
	if (bytes)
		word_in(to, at, bytes);
}

#endif
