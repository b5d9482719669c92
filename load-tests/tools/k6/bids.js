// What http.js and grpc.js share: a body a line, and a constant rate of arrival. `dropped_iterations` above 0 means: the rate was
// not offered, because no VU was free; latencies are then too good, and the run counts as failed.
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';

// The lines of a file, each as `read` makes it. A relative path starts at this directory.
export function lines(file, read) {
  return new SharedArray('bodies', () => open(file).split('\n').filter((line) => line !== '').map(read));
}

// Whose turn it is.
export function next(bodies) {
  return bodies[exec.scenario.iterationInTest % bodies.length];
}

// RATE requests a second for SECONDS; `duration` names the metric whose p99 must stay below P99_MS.
export function atConstantRate(duration, vus, more = {}) {
  return {
    ...more,
    scenarios: {
      bids: {
        executor: 'constant-arrival-rate',
        rate: Number(__ENV.RATE || 1000),
        timeUnit: '1s',
        duration: `${__ENV.SECONDS || 10}s`,
        preAllocatedVUs: vus,
        maxVUs: 4 * vus,
      },
    },
    summaryTrendStats: ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
    thresholds: {
      checks: ['rate==1'],
      dropped_iterations: ['count==0'],
      [duration]: [`p(99)<${__ENV.P99_MS || 50}`],
    },
  };
}
