// Debian's Chromium, started so that it asks nobody but the server. The only place that says how.
import { userInfo } from "node:os";

/** For `chromium.launch` and for the `launchOptions` of Playwright's configuration. */
export function quietChromium() {
  return {
    executablePath: process.env.VAGLIO_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      // Chromium's sandbox does not start for root, which is who runs in containers.
      ...(userInfo().uid === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  };
}
