/* object_name.c - the names of objects: what may be one, and its hash. */
#include "segment/object_name.h"
#include "segment/error.h"
#include "segment/layout.h"
#include <errno.h>
#include <string.h>

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
uint32_t ilk_name_hash_(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

/* Length of the UTF-8 sequence that C begins; 0: it begins none. */
static int sequence_length(uint8_t c)
{
	return c < 0x80                ? 1
	       : c >= 0xc2 && c < 0xe0 ? 2
	       : c >= 0xe0 && c < 0xf0 ? 3
	       : c >= 0xf0 && c < 0xf5 ? 4
				       : 0;
}

/* Bounds of the second byte: no overlong forms, no surrogates, nothing past U+10FFFF, no C1. */
static int is_second_byte(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xc2 || first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

int ilk_name_is_printable_(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at) {
		int length = sequence_length(*at);

		if (length == 0 || *at < 0x20 || *at == 0x7f)
			return 0;
		if (length > 1 && !is_second_byte(at[0], at[1]))
			return 0;
		for (int i = 2; i < length; i++)
			if ((at[i] & 0xc0) != 0x80)
				return 0;
		at += length;
	}
	return 1;
}

int ilk_name_check_(const char *name)
{
	if (!name || !*name)
		return ilk_fail_(-EINVAL, "an object's name is empty");
	if (strlen(name) >= ILK_NAME_BYTES_)
		return ilk_fail_(-ENAMETOOLONG, "an object's name has more than 63 bytes");
	if (!ilk_name_is_printable_(name))
		return ilk_fail_(
			-EINVAL, "an object's name has bytes that are not printable UTF-8");
	return 0;
}
