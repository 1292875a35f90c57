/*
 * ilk/array_inline.h - the calls of ilk/array.h on single elements, for each type; it includes this.
 *
 * An element is reached as an unsigned word of its size, whatever its type and its user's. The labels
 * of src/data/array.c: [A1] set, [A2] get, [A3] add and replace.
 */
#ifndef ILK_ARRAY_INLINE_H
#define ILK_ARRAY_INLINE_H

#include <ilk/array.h>
#include <ilk/atomics.h>

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/* May the element at INDEX be used as one of TYPE? */
static inline int ilk_array_check_(
	const struct ilk_array_handle *h, size_t index, uint32_t type, int to_write)
{
	if (ILK_UNLIKELY_(h->type != type))
		return -EINVAL;
	if (ILK_UNLIKELY_(index >= h->count))
		return -ERANGE;
	return ILK_UNLIKELY_(to_write && h->read_only) ? -EROFS : 0;
}

#define ILK_ARRAY_WORD_(t, V, U, TYPE)                                                             \
	typedef U ilk_array_word_##t##_ __attribute__((may_alias));                                \
	static inline ilk_array_word_##t##_ *ilk_array_word_at_##t##_(                             \
		const struct ilk_array_handle *h, size_t index)                                    \
	{                                                                                          \
		return (ilk_array_word_##t##_ *)(void *)(h->elements + index * sizeof(U));         \
	}                                                                                          \
	static inline U ilk_array_bits_##t##_(V value)                                             \
	{                                                                                          \
		U bits;                                                                            \
		__builtin_memcpy(&bits, &value, sizeof bits);                                      \
		return bits;                                                                       \
	}                                                                                          \
	static inline V ilk_array_value_##t##_(U bits)                                             \
	{                                                                                          \
		V value;                                                                           \
		__builtin_memcpy(&value, &bits, sizeof value);                                     \
		return value;                                                                      \
	}                                                                                          \
	static inline int ilk_array_get_##t(                                                       \
		const struct ilk_array_handle *h, size_t index, V *value)                          \
	{                                                                                          \
		int rc = ilk_array_check_(h, index, TYPE, 0);                                      \
		if (rc == 0)                                                                       \
			*value = ilk_array_value_##t##_(                                           \
				ilk_load_acquire_(ilk_array_word_at_##t##_(h, index)));            \
		return rc;                                                                         \
	}                                                                                          \
	static inline int ilk_array_set_##t(                                                       \
		const struct ilk_array_handle *h, size_t index, V value)                           \
	{                                                                                          \
		int rc = ilk_array_check_(h, index, TYPE, 1);                                      \
		if (rc == 0)                                                                       \
			ilk_store_release_(                                                        \
				ilk_array_word_at_##t##_(h, index), ilk_array_bits_##t##_(value)); \
		return rc;                                                                         \
	}                                                                                          \
	static inline int ilk_array_replace_##t(                                                   \
		const struct ilk_array_handle *h, size_t index, V *was, V value)                   \
	{                                                                                          \
		int rc = ilk_array_check_(h, index, TYPE, 1);                                      \
		U found;                                                                           \
		if (rc < 0)                                                                        \
			return rc;                                                                 \
		found = ilk_array_bits_##t##_(*was);                                               \
		if (ilk_cas_full_(ilk_array_word_at_##t##_(h, index), &found,                      \
			    ilk_array_bits_##t##_(value)))                                         \
			return 0;                                                                  \
		*was = ilk_array_value_##t##_(found);                                              \
		return -EAGAIN;                                                                    \
	}

#define ILK_ARRAY_INTEGER_(t, V, U, TYPE)                                                 \
	ILK_ARRAY_WORD_(t, V, U, TYPE)                                                    \
	static inline int ilk_array_add_##t(                                              \
		const struct ilk_array_handle *h, size_t index, V add, V *before)         \
	{                                                                                 \
		int rc = ilk_array_check_(h, index, TYPE, 1);                             \
		V was;                                                                    \
		if (rc < 0)                                                               \
			return rc;                                                        \
		was = ilk_array_value_##t##_(ilk_add_full_(                               \
			ilk_array_word_at_##t##_(h, index), ilk_array_bits_##t##_(add))); \
		if (before)                                                               \
			*before = was;                                                    \
		return 0;                                                                 \
	}

#define ILK_ARRAY_FLOAT_(t, V, U, TYPE)                                                \
	ILK_ARRAY_WORD_(t, V, U, TYPE)                                                 \
	static inline int ilk_array_add_##t(                                           \
		const struct ilk_array_handle *h, size_t index, V add, V *before)      \
	{                                                                              \
		V was;                                                                 \
		int rc = ilk_array_get_##t(h, index, &was);                            \
		if (rc == 0)                                                           \
			do                                                             \
				rc = ilk_array_replace_##t(h, index, &was, was + add); \
			while (rc == -EAGAIN);                                         \
		if (rc == 0 && before)                                                 \
			*before = was;                                                 \
		return rc;                                                             \
	}

ILK_ARRAY_INTEGER_(i8, int8_t, uint8_t, ILK_ARRAY_I8)
ILK_ARRAY_INTEGER_(u8, uint8_t, uint8_t, ILK_ARRAY_U8)
ILK_ARRAY_INTEGER_(i16, int16_t, uint16_t, ILK_ARRAY_I16)
ILK_ARRAY_INTEGER_(u16, uint16_t, uint16_t, ILK_ARRAY_U16)
ILK_ARRAY_INTEGER_(i32, int32_t, uint32_t, ILK_ARRAY_I32)
ILK_ARRAY_INTEGER_(u32, uint32_t, uint32_t, ILK_ARRAY_U32)
ILK_ARRAY_INTEGER_(i64, int64_t, uint64_t, ILK_ARRAY_I64)
ILK_ARRAY_INTEGER_(u64, uint64_t, uint64_t, ILK_ARRAY_U64)
ILK_ARRAY_FLOAT_(f32, float, uint32_t, ILK_ARRAY_F32)
ILK_ARRAY_FLOAT_(f64, double, uint64_t, ILK_ARRAY_F64)

#ifdef __cplusplus
}
#endif

#endif
