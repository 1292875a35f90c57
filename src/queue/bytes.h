/*
 * bytes.h - the bytes of a message into a cell, and out of one that may be written anew meanwhile.
 */
#ifndef ILK_QUEUE_BYTES_H
#define ILK_QUEUE_BYTES_H

#include "queue/queue.h"
#include <string.h>

/* The writer's side is what it is: a user who reserved writes as he likes. [I6] makes it good. */
#define ILK_RACES_ __attribute__((no_sanitize("thread")))

/* More are moved by a call: whose accesses ThreadSanitizer would see, whatever is said here. */
#if defined(__SANITIZE_THREAD__)
#define ILK_BYTES_BY_CALL_ UINT32_MAX
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ILK_BYTES_BY_CALL_ UINT32_MAX
#endif
#endif
#ifndef ILK_BYTES_BY_CALL_
#define ILK_BYTES_BY_CALL_ UINT32_C(128)
#endif

/* Out of CELL. Few by words: no call, and no pass over a tail byte by byte. A cell has whole words. */
ILK_RACES_ static inline void ilk_bytes_out_(
	char *to, const struct ilk_queue_cell_ *cell, uint32_t bytes)
{
	const uint64_t *from = (const uint64_t *)(const void *)cell->data;
	uint32_t at = 0;

	if (bytes > ILK_BYTES_BY_CALL_) {
		memcpy(to, from, bytes);
		return;
	}

	for (; at + sizeof *from <= bytes; at += (uint32_t)sizeof *from, from++) {
		uint64_t word = ilk_load_relaxed_(from);

		memcpy(to + at, &word, sizeof word);
	}
	if (at < bytes) {
		uint64_t word = ilk_load_relaxed_(from);

		memcpy(to + at, &word, bytes - at);
	}
}

static inline void ilk_bytes_in_(struct ilk_queue_cell_ *cell, const void *from, size_t bytes)
{
	if (bytes == sizeof(uint64_t))
		memcpy(cell->data, from, sizeof(uint64_t));
	else if (bytes)
		memcpy(cell->data, from, bytes);
}

#endif
