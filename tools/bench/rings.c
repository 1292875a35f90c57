/*
 * rings.c - the benches of messages from one process to one: `ring-*`, in bulk, there and back, and
 * of those where the receiver may sleep, `blocking-*`.
 */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/rows.h"
#include "bench/transport.h"

static const struct bench_peer alone_peers[] = {
	{"ilk", transport_alone, &transport_ring, NULL},
	{"ilk-place", transport_alone, &transport_ring_place, NULL},
	{"ilk-fixed", transport_alone, &transport_ring_fixed, NULL},
	{"boost-spsc", transport_alone, TRANSPORT_BOOST(spsc), absent_boost},
	{"ck-spsc", transport_alone, TRANSPORT_CK(spsc), absent_ck},
	{"rte-spsc", transport_alone, TRANSPORT_RTE(spsc), absent_rte},
	{"libqb", transport_alone, TRANSPORT_QB(), absent_qb},
};

static const struct bench_peer flow_peers[] = {
	{"ilk", transport_flow, &transport_ring, NULL},
	{"ilk-place", transport_flow, &transport_ring_place, NULL},
	{"ilk-fixed", transport_flow, &transport_ring_fixed, NULL},
	{"boost-spsc", transport_flow, TRANSPORT_BOOST(spsc), absent_boost},
	{"ck-spsc", transport_flow, TRANSPORT_CK(spsc), absent_ck},
	{"rte-spsc", transport_flow, TRANSPORT_RTE(spsc), absent_rte},
	{"libqb", transport_flow, TRANSPORT_QB(), absent_qb},
};

static const struct bench_peer bulk_peers[] = {
	{"ilk", transport_bulk, &transport_ring, NULL},
	{"ilk-fixed", transport_bulk, &transport_ring_fixed, NULL},
	{"boost-spsc", transport_bulk, TRANSPORT_BOOST(spsc), absent_boost},
	{"rte-spsc", transport_bulk, TRANSPORT_RTE(spsc), absent_rte},
};

static const struct bench_peer trip_peers[] = {
	{"ilk", transport_trip, &transport_ring, NULL},
	{"ilk-fixed", transport_trip, &transport_ring_fixed, NULL},
	{"boost-spsc", transport_trip, TRANSPORT_BOOST(spsc), absent_boost},
	{"ck-spsc", transport_trip, TRANSPORT_CK(spsc), absent_ck},
	{"rte-spsc", transport_trip, TRANSPORT_RTE(spsc), absent_rte},
	{"libqb", transport_trip, TRANSPORT_QB(), absent_qb},
};

static const struct bench_peer blocking_peers[] = {
	{"ilk", transport_flow, &transport_ring_waits, NULL},
	{"ilk-queue", transport_flow, &transport_queue_waits, NULL},
	{"boost-mq", transport_flow, TRANSPORT_BOOST(mq), absent_boost},
	{"libqb", transport_flow, TRANSPORT_QB(_blocking), absent_qb},
	{"pipe", transport_flow, &transport_pipe, NULL},
	{"posix-mq", transport_flow, &transport_mq, NULL},
	{"socket", transport_flow, &transport_socket, NULL},
	{"zeromq", transport_flow, TRANSPORT_ZEROMQ, absent_zeromq},
	{"python-queue", python_queue_flow, "Queue", absent_python},
	{"python-simple", python_queue_flow, "SimpleQueue", absent_python},
	{"python-pipe", python_queue_flow, "Pipe", absent_python},
};

#define ALONE(size_, bytes_, of_bytes)                                                        \
	{                                                                                     \
		.name = "ring-alone-" size_, .unit = "ns",                                    \
		.what = "put and get a message of " of_bytes ", one process", .seconds = 0.1, \
		.workers = 1, .bytes = bytes_, BENCH_PEERS(alone_peers),                      \
	}

#define FLOW(size_, bytes_, of_bytes)                                                           \
	{                                                                                       \
		.name = "ring-" size_, .unit = "M/s",                                           \
		.what = "messages of " of_bytes " from one process to another", .seconds = 0.1, \
		.workers = 2, .bytes = bytes_, .more_is_better = 1, .crosses = 1,               \
		BENCH_PEERS(flow_peers),                                                        \
	}

#define BULK(size_, bytes_, of_bytes)                                                             \
	{                                                                                         \
		.name = "ring-bulk-" size_, .unit = "M/s",                                        \
		.what = "messages of " of_bytes ", 32 at a time, one process to another",         \
		.seconds = 0.1, .workers = 2, .bytes = bytes_, .more_is_better = 1, .crosses = 1, \
		BENCH_PEERS(bulk_peers),                                                          \
	}

#define TRIP(size_, bytes_, of_bytes)                                                       \
	{                                                                                   \
		.name = "ring-trip-" size_, .unit = "ns",                                   \
		.what = "a message of " of_bytes " goes to another process and comes back", \
		.seconds = 0.1, .workers = 2, .bytes = bytes_, .crosses = 1,                \
		BENCH_PEERS(trip_peers),                                                    \
	}

#define BLOCKING(size_, bytes_, of_bytes)                                                         \
	{                                                                                         \
		.name = "blocking-" size_, .unit = "M/s",                                         \
		.what = "messages of " of_bytes ", one process to another, which may sleep",      \
		.seconds = 0.1, .workers = 2, .bytes = bytes_, .more_is_better = 1, .crosses = 1, \
		BENCH_PEERS(blocking_peers),                                                      \
	}

#define ALL_SIZES(kind)                                                                        \
	{                                                                                      \
		kind("8", 8, "8 bytes"), kind("64", 64, "64 bytes"), kind("1k", 1024, "1 KiB") \
	}

const struct bench bench_ring_alone[] = ALL_SIZES(ALONE);
const struct bench bench_ring[] = ALL_SIZES(FLOW);
const struct bench bench_ring_bulk[] = ALL_SIZES(BULK);
const struct bench bench_ring_trip[] = ALL_SIZES(TRIP);
const struct bench bench_blocking[] = ALL_SIZES(BLOCKING);
