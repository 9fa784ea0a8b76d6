// Durations in log-linear steps: 128 for each power of two nanoseconds, so under 1 % error up to 18 minutes.
#pragma once
#include <stdint.h>
#include <stdio.h>

enum { STEPS = 128, BUCKETS = STEPS * 34 };

struct histogram {
  uint64_t total, longest, buckets[BUCKETS];
  double sum;
};

static size_t to_bucket(uint64_t ns) {
  if (ns < STEPS) return ns;
  int shift = 63 - __builtin_clzll(ns) - 7;
  size_t bucket = (size_t)shift * STEPS + (ns >> shift);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

// The middle of a bucket, in microseconds.
static double to_micros(size_t bucket) {
  if (bucket < STEPS) return (double)bucket / 1000;
  size_t shift = bucket / STEPS - 1;
  return ((double)(bucket % STEPS + STEPS) + 0.5) * (double)(1ull << shift) / 1000;
}

static void histogram_add(struct histogram *h, uint64_t ns) {
  h->total++;
  h->buckets[to_bucket(ns)]++;
  h->sum += (double)ns;
  if (ns > h->longest) h->longest = ns;
}

static double quantile(const struct histogram *h, double q) {
  uint64_t wanted = (uint64_t)(q * (double)h->total + 0.999999), seen = 0;
  for (size_t i = 0; i < BUCKETS; i++)
    if ((seen += h->buckets[i]) >= wanted && seen > 0) return to_micros(i);
  return 0;
}

static void histogram_print(const struct histogram *h) {
  printf("{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"mean\":%.2f}", quantile(h, .5), quantile(h, .9),
         quantile(h, .99), quantile(h, .999), (double)h->longest / 1000, h->total ? h->sum / (double)h->total / 1000 : 0);
}
