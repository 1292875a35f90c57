/*
 * queues.c - the benches `queue-*`: messages between any number of processes; alone, one to one, two
 * to two and four to four on two cores, there and back, and how long a sleeper takes to wake.
 */
#include "bench/absent.h"
#include "bench/rows.h"
#include "bench/transport.h"

static const struct bench_peer alone_peers[] = {
	{"ilk", transport_alone, &transport_queue, NULL},
	{"ilk-lanes", transport_alone, &transport_queue_lanes, NULL},
	{"ck-mpmc", transport_alone, TRANSPORT_CK(mpmc), absent_ck},
	{"rte-mpmc", transport_alone, TRANSPORT_RTE(mpmc), absent_rte},
	{"boost-queue", transport_alone, TRANSPORT_BOOST(queue), absent_boost},
};

static const struct bench_peer flow_peers[] = {
	{"ilk", transport_flow, &transport_queue, NULL},
	{"ilk-lanes", transport_flow, &transport_queue_lanes, NULL},
	{"ck-mpmc", transport_flow, TRANSPORT_CK(mpmc), absent_ck},
	{"rte-mpmc", transport_flow, TRANSPORT_RTE(mpmc), absent_rte},
	{"boost-queue", transport_flow, TRANSPORT_BOOST(queue), absent_boost},
};

/*
 * With more processes than cores, those who spin without yielding wait a time slice for each one who
 * was put off in the midst of an operation. rte_ring, made for threads that have a core each, then
 * does not get to an end in ten seconds, and is left out.
 */
static const struct bench_peer crowd_peers[] = {
	{"ilk", transport_flow, &transport_queue, NULL},
	{"ilk-lanes", transport_flow, &transport_queue_lanes, NULL},
	{"ck-mpmc", transport_flow, TRANSPORT_CK(mpmc), absent_ck},
	{"boost-queue", transport_flow, TRANSPORT_BOOST(queue), absent_boost},
	{"boost-mq", transport_flow, TRANSPORT_BOOST(mq), absent_boost},
	{"pipe", transport_flow, &transport_pipe, NULL},
};

static const struct bench_peer bulk_peers[] = {
	{"ilk", transport_bulk, &transport_queue, NULL},
	{"ilk-lanes", transport_bulk, &transport_queue_lanes, NULL},
	{"rte-mpmc", transport_bulk, TRANSPORT_RTE(mpmc), absent_rte},
};

static const struct bench_peer trip_peers[] = {
	{"ilk", transport_trip, &transport_queue, NULL},
	{"ck-mpmc", transport_trip, TRANSPORT_CK(mpmc), absent_ck},
	{"rte-mpmc", transport_trip, TRANSPORT_RTE(mpmc), absent_rte},
	{"boost-queue", transport_trip, TRANSPORT_BOOST(queue), absent_boost},
};

static const struct bench_peer lease_peers[] = {
	{"ilk-lease", transport_alone, &transport_queue_lease, NULL},
	{"ilk-get", transport_alone, &transport_queue, NULL},
};

static const struct bench_peer wake_peers[] = {
	{"ilk", transport_wake, &transport_queue_waits, NULL},
	{"ilk-ring", transport_wake, &transport_ring_waits, NULL},
	{"futex", transport_wake, &transport_futex, NULL},
	{"boost-mq", transport_wake, TRANSPORT_BOOST(mq), absent_boost},
	{"libqb", transport_wake, TRANSPORT_QB(_blocking), absent_qb},
	{"pipe", transport_wake, &transport_pipe, NULL},
	{"posix-mq", transport_wake, &transport_mq, NULL},
	{"socket", transport_wake, &transport_socket, NULL},
};

const struct bench bench_queue_alone = {
	.name = "queue-alone",
	.unit = "ns",
	.what = "put and get a message of 8 bytes, one process",
	.reference = "ck-mpmc",
	.seconds = 0.1,
	.workers = 1,
	.bytes = 8,
	BENCH_PEERS(alone_peers),
};

#define FLOW(name_, bytes_, of_bytes, workers_, how, peers)                                \
	{                                                                                  \
		.name = name_, .unit = "M/s", .what = "messages of " of_bytes " " how,     \
		.seconds = 0.1, .workers = workers_, .bytes = bytes_, .more_is_better = 1, \
		.crosses = 1, BENCH_PEERS(peers),                                          \
	}

#define ALL_SIZES(name, workers, how, peers)                                  \
	{                                                                     \
		FLOW(name "8", 8, "8 bytes", workers, how, peers),            \
			FLOW(name "64", 64, "64 bytes", workers, how, peers), \
			FLOW(name "1k", 1024, "1 KiB", workers, how, peers)   \
	}

#define LEASE(name_, bytes_, of_bytes)                                                          \
	{                                                                                       \
		.name = name_, .unit = "ns",                                                    \
		.what = "put, lease and ack a message of " of_bytes "; or put and get it; one " \
			"process",                                                              \
		.reference = "ilk-get", .seconds = 0.1, .workers = 1, .bytes = bytes_,          \
		BENCH_PEERS(lease_peers),                                                       \
	}

#define TRIP(name_, bytes_, of_bytes)                                        \
	{                                                                    \
		.name = name_, .unit = "ns",                                 \
		.what = "a message of " of_bytes                             \
			" goes to another process and comes back, by two "   \
			"queues",                                            \
		.seconds = 0.1, .workers = 2, .bytes = bytes_, .crosses = 1, \
		BENCH_PEERS(trip_peers),                                     \
	}

const struct bench bench_queue_lease[] = {LEASE("queue-lease-8", 8, "8 bytes"),
	LEASE("queue-lease-64", 64, "64 bytes"), LEASE("queue-lease-1k", 1024, "1 KiB")};
const struct bench bench_queue_trip[] = {TRIP("queue-trip-8", 8, "8 bytes"),
	TRIP("queue-trip-64", 64, "64 bytes"), TRIP("queue-trip-1k", 1024, "1 KiB")};
const struct bench bench_queue_bulk[] =
	ALL_SIZES("queue-bulk-", 2, "32 at a time, one process to another", bulk_peers);
const struct bench bench_queue[] =
	ALL_SIZES("queue-", 2, "through a queue for many, one process to another", flow_peers);
const struct bench bench_queue_2p2c[] =
	ALL_SIZES("queue-2p2c-", 4, "from 2 processes to 2 others, on 2 cores", flow_peers);
const struct bench bench_queue_4p4c[] =
	ALL_SIZES("queue-4p4c-", 8, "from 4 processes to 4 others, on 2 cores", crowd_peers);

const struct bench bench_queue_wake = {
	.name = "queue-wake",
	.unit = "us",
	.what = "from the put of a message to its return from the get of a process that sleeps",
	.reference = "futex",
	.seconds = 0.2,
	.workers = 2,
	.bytes = 8,
	.crosses = 1,
	BENCH_PEERS(wake_peers),
};
