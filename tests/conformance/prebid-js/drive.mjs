// Runs auctions in Prebid.js as published, with its module `scope3` pointed at a server of ours, and prints what became
// of them as JSON. Also calls the module itself, because Prebid.js does not let every version of it write bid requests.
//
//   node drive.mjs '{"endpoint":"http://127.0.0.1:8080/prebid/rtd","page":"https://...","user":{...},"params":{...}}'
//
// Run it where the packages of package.json are installed.
import { readFileSync } from 'node:fs';
import { open } from './browser.mjs';

const asked = JSON.parse(process.argv[2]);
const log = open(asked.page);
const { default: pbjs } = await import('prebid.js');
for (const name of ['rtdModule', 'appnexusBidAdapter', 'ixBidAdapter', 'scope3RtdProvider']) {
  await import(`prebid.js/modules/${name}.js`);
}

const BIDS = [
  { bidder: 'appnexus', params: { placementId: 13144370 } },
  { bidder: 'ix', params: { siteId: '1', size: [300, 250] } },
];
pbjs.setConfig({
  debug: false,
  userSync: { syncEnabled: false },
  ortb2: { user: asked.user },
  realTimeData: {
    auctionDelay: 2000,
    dataProviders: [{ name: 'scope3', waitForIt: true, params: { orgId: 'acme', endpoint: asked.endpoint, ...asked.params } }],
  },
});
pbjs.processQueue();

const direct = await call();
const auctions = [];
for (let round = 0; round < (asked.rounds ?? 1); round += 1) auctions.push(await auction());
const manifest = new URL('./node_modules/prebid.js/package.json', import.meta.url);
const version = JSON.parse(readFileSync(manifest, 'utf8')).version;
process.stdout.write(JSON.stringify({ version, direct, auctions, requests: log }), () => process.exit(0));

/** The module's own function, on a bid request of its own: what it writes there. */
async function call() {
  const source = new URL('./node_modules/prebid.js/dist/src/modules/scope3RtdProvider.js', import.meta.url);
  const { scope3SubModule } = await import(source);
  const site = { domain: 'direct.example', page: 'https://direct.example/' };
  const request = {
    adUnits: [{ code: 'top', mediaTypes: { banner: { sizes: [[300, 250]] } }, bids: structuredClone(BIDS) }],
    ortb2Fragments: { global: { site, user: structuredClone(asked.user) }, bidder: {} },
  };
  await new Promise((resolve) => scope3SubModule.getBidRequestData(request, resolve));
  return { fragments: request.ortb2Fragments, imp: request.adUnits[0].ortb2Imp ?? null };
}

/** One auction: what its bidders were asked, and what the ad server is told. */
function auction() {
  const requested = {};
  const note = (request) => {
    const { user, site } = request.ortb2 ?? {};
    const imp = request.bids.map((bid) => bid.ortb2Imp?.ext?.[bid.bidder] ?? null);
    requested[request.bidderCode] = { user, site, imp };
  };
  return new Promise((resolve) => {
    pbjs.onEvent('bidRequested', note);
    pbjs.requestBids({
      timeout: 1000,
      adUnits: [{ code: 'top', mediaTypes: { banner: { sizes: [[300, 250]] } }, bids: structuredClone(BIDS) }],
      bidsBackHandler: () => {
        pbjs.offEvent('bidRequested', note);
        resolve({ requested, targeting: pbjs.getAdserverTargeting() });
      },
    });
  });
}
