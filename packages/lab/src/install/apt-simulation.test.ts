import { expect, test } from 'vitest';
import { parseAptSimulation } from './apt-simulation.ts';

// apt 2.6 on Debian 12, shortened.
const OUTPUT = `NOTE: This is only a simulation!
Reading package lists...
The following packages will be REMOVED:
  quagga-core
Remv quagga-bgpd [1.2.4-4]
Remv quagga-core:amd64 [1.2.4-4]
Inst libyang2 (2.1.30-2 Debian:12.5/oldstable [amd64])
Inst frr (8.4.4-1.1~deb12u2 Debian-Security:12/oldstable-security [amd64]) []
Conf libyang2 (2.1.30-2 Debian:12.5/oldstable [amd64])
Conf frr (8.4.4-1.1~deb12u2 Debian-Security:12/oldstable-security [amd64])
`;

test('what would be installed and removed is read from the simulation', () => {
  expect(parseAptSimulation(OUTPUT)).toEqual({
    installs: ['libyang2', 'frr'],
    removes: ['quagga-bgpd', 'quagga-core'],
  });
});
