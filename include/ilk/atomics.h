/*
 * ilk/atomics.h - the one file that names a memory order.
 *
 * Private to Ilk; installed only because inline functions of the public headers use it. Shared
 * structs keep plain uint32_t and uint64_t words, so that they are the same in C11 and C++17; every
 * access that another thread or process may meet goes through one of these. A site that uses them
 * carries a label, and the table at the top of its file says which partner it orders against.
 */
#ifndef ILK_ATOMICS_H
#define ILK_ATOMICS_H

#include <stdint.h>

#define ilk_load_relaxed_(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define ilk_load_acquire_(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ilk_store_relaxed_(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define ilk_store_release_(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Read-modify-write; each returns the value before. Full: acquire and release at once. */
#define ilk_add_relaxed_(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define ilk_add_full_(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define ilk_sub_full_(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define ilk_or_full_(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define ilk_and_full_(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
/* Full, too; a later load may still come before its store. */
#define ilk_exchange_(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)

/* Strong compare-and-swap: true when *p was *expected; else *expected becomes what *p is. */
#define ilk_cas_acquire_(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define ilk_cas_full_(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)

/* Orders everything against everything, between processors. */
#define ilk_fence_() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/* The same right after a read-modify-write, which on x86 is a fence already. */
#if defined(__x86_64__) || defined(__i386__)
#define ilk_fence_after_rmw_() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#else
#define ilk_fence_after_rmw_() ilk_fence_()
#endif
/* Loads before it come before all that follows; all that came before it, before stores that follow.
 */
#define ilk_fence_acquire_() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define ilk_fence_release_() __atomic_thread_fence(__ATOMIC_RELEASE)
/* Orders for the compiler alone; the processor's part is done by the other side's membarrier. */
#define ilk_compiler_barrier_() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Tells the processor that this is a spin loop. */
static inline void ilk_pause_(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("isb" ::: "memory");
#else
	ilk_compiler_barrier_();
#endif
}

#endif
