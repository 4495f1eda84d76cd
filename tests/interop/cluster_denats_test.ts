/** A cluster of two denats. */
import { BATTERY } from "./cluster_battery.ts";
import { testPairing } from "./cluster_pair.ts";
import { pairingsWith } from "./cluster_pairing.ts";

for (const pairing of pairingsWith("denats")) await testPairing(pairing, BATTERY);
