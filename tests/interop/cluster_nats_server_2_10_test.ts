/** A cluster of denats and nats-server 2.10. */
import { BATTERY } from "./cluster_battery.ts";
import { testPairing } from "./cluster_pair.ts";
import { pairingsWith } from "./cluster_pairing.ts";

for (const pairing of pairingsWith("2.10")) await testPairing(pairing, BATTERY);
