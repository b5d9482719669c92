// gRPC Lookup at a constant rate of arrival: k6 run -e RATE=1000 grpc.js (`tools/try k6-grpc` does that). One connection
// a VU. As with http.js, `dropped_iterations` must stay 0.
import grpc from 'k6/net/grpc';
import { check } from 'k6';
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';

const client = new grpc.Client();
client.load(['../../../proto'], 'vaglio/v1/audience.proto');
const bodies = new SharedArray('bodies', () =>
  open(__ENV.BODIES || '../bodies/lookup.ndjson').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)));

export const options = {
  scenarios: {
    bids: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 1000),
      timeUnit: '1s',
      duration: `${__ENV.SECONDS || 10}s`,
      preAllocatedVUs: 32,
      maxVUs: 128,
    },
  },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    grpc_req_duration: [`p(99)<${__ENV.P99_MS || 50}`],
  },
};

let connected = false;

export default function () {
  if (!connected) {
    client.connect(__ENV.GRPC || '127.0.0.1:24000', { plaintext: true });
    connected = true;
  }
  const body = bodies[exec.scenario.iterationInTest % bodies.length];
  const answer = client.invoke('vaglio.v1.AudienceService/Lookup', body);
  check(answer, { 'answered OK': (it) => it && it.status === grpc.StatusOK });
}
