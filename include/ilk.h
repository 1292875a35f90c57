/* ilk.h - all of Ilk's public headers. Each header is the reference of what it declares. */
#ifndef ILK_H
#define ILK_H

#include <ilk/base.h>
#include <ilk/segment.h>
#include <ilk/object.h>
#include <ilk/memory.h>
#include <ilk/counter.h>
#include <ilk/mutex.h>
#include <ilk/condition.h>
#include <ilk/event.h>
#include <ilk/latch.h>
#include <ilk/once.h>
#include <ilk/barrier.h>
#include <ilk/snapshot.h>
#include <ilk/rwlock.h>
#include <ilk/semaphore.h>
#include <ilk/permits.h>
#include <ilk/queue.h>
#include <ilk/ring.h>
#include <ilk/channel.h>
#include <ilk/array.h>
#include <ilk/map.h>
#include <ilk/spawn.h>
#include <ilk/loop.h>
#include <ilk/pipeline.h>
#include <ilk/pool.h>
#include <ilk/worker.h>
#include <ilk/inspect.h>

#endif
