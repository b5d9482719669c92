// The HTTP doors at a constant rate of arrival: k6 run -e RATE=2000 -e SECONDS=30 -e BODIES=../bodies/enrich.ndjson http.js
// (`tools/try k6` does that.) A body a line; the door is a path. `dropped_iterations` must stay 0: see bids.js.
import http from 'k6/http';
import { check } from 'k6';
import { atConstantRate, lines, next } from './bids.js';

const url = __ENV.URL || 'http://127.0.0.1:24001/openrtb2/enrich';
const bodies = lines(__ENV.BODIES || '../bodies/enrich.ndjson', (line) => line);

export const options = atConstantRate('http_req_duration', 64, { discardResponseBodies: true });

export default function () {
  const answer = http.post(url, next(bodies), { headers: { 'content-type': 'application/json' } });
  check(answer, { 'answered 200': (it) => it.status === 200 });
}
