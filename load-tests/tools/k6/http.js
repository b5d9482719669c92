// The HTTP doors at a constant rate of arrival: k6 run -e RATE=2000 -e SECONDS=30 -e BODIES=../bodies/enrich.ndjson http.js
// (`tools/try k6` does that.) A body a line; the door is a path. `dropped_iterations` above 0 means: the rate was not
// offered, because no VU was free; latencies are then too good, and the run counts as failed.
import http from 'k6/http';
import { check } from 'k6';
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';

const url = __ENV.URL || 'http://127.0.0.1:24001/openrtb2/enrich';
const bodies = new SharedArray('bodies', () =>
  open(__ENV.BODIES || '../bodies/enrich.ndjson').split('\n').filter((line) => line !== ''));

export const options = {
  discardResponseBodies: true,
  scenarios: {
    bids: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 1000),
      timeUnit: '1s',
      duration: `${__ENV.SECONDS || 10}s`,
      preAllocatedVUs: 64,
      maxVUs: 256,
    },
  },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    http_req_duration: [`p(99)<${__ENV.P99_MS || 50}`],
  },
};

export default function () {
  const body = bodies[exec.scenario.iterationInTest % bodies.length];
  const answer = http.post(url, body, { headers: { 'content-type': 'application/json' } });
  check(answer, { 'answered 200': (it) => it.status === 200 });
}
