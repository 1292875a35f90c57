/* absent.h - why a peer is not measured, or NULL: it is there. */
#ifndef BENCH_ABSENT_H
#define BENCH_ABSENT_H

const char *absent_boost(void);
const char *absent_ck(void);
const char *absent_rte(void);
const char *absent_qb(void);
const char *absent_zeromq(void);
const char *absent_python(void);
const char *absent_numpy(void);

#endif
