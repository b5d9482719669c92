// gRPC Lookup at a constant rate of arrival: k6 run -e RATE=1000 grpc.js (`tools/try k6-grpc` does that). One connection
// a VU. As with http.js, `dropped_iterations` must stay 0.
import grpc from 'k6/net/grpc';
import { check } from 'k6';
import { atConstantRate, lines, next } from './bids.js';

const client = new grpc.Client();
client.load(['../../../proto'], 'vaglio/v1/audience.proto');
const bodies = lines(__ENV.BODIES || '../bodies/lookup.ndjson', (line) => JSON.parse(line));

export const options = atConstantRate('grpc_req_duration', 32);

let connected = false;

export default function () {
  if (!connected) {
    client.connect(__ENV.GRPC || '127.0.0.1:24000', { plaintext: true });
    connected = true;
  }
  const answer = client.invoke('vaglio.v1.AudienceService/Lookup', next(bodies));
  check(answer, { 'answered OK': (it) => it && it.status === grpc.StatusOK });
}
