/**
 * The runtime seals sessions of all ports with one key, and takes what it finds in them for verified.
 * OpenSSL's client is what resumes sessions at will.
 */
import { assert, assertEquals } from "@std/assert";
import { Broker } from "../../mod.ts";
import { CertificateFolder, TestAuthority } from "../support/certificates.ts";

const hasOpenSsl = await (async () => {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    return false;
  }
})();

/** What came of one connection. */
interface Outcome {
  readonly admitted: boolean;
  readonly resumed: boolean;
}

/** Says PING over TLS with OpenSSL's client, and hangs up when there is an answer, or none. */
async function ping({ address }: Broker, args: readonly string[]): Promise<Outcome> {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `${address.hostname}:${address.port}`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  let text = "";
  const ended = child.status.then(() => {});
  await writer.write(new TextEncoder().encode("CONNECT {}\r\nPING\r\n")).catch(() => {});
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!text.includes("PONG\r\n")) continue;
    await writer.close().catch(() => {});
  }
  await writer.close().catch(() => {});
  await ended;
  return { admitted: text.includes("PONG\r\n"), resumed: text.includes("Reused, TLS") };
}

Deno.test({
  name: "what one port was content with does not get anybody in on another",
  ignore: !hasOpenSsl,
  fn: async () => {
    await using folder = await CertificateFolder.create();
    await using stack = new AsyncDisposableStack();
    const [one, other] = [await TestAuthority.create("One"), await TestAuthority.create("Other")];
    const start = async (name: string, authority: TestAuthority, verify: boolean) =>
      stack.use(
        await Broker.start({
          host: "127.0.0.1",
          port: -1,
          tls: {
            ...await folder.pair(name, await authority.issue({ dns: ["localhost"] })),
            ca_file: await folder.write(`${name}-ca.pem`, authority.pem),
            verify,
            handshake_first: true,
          },
        }),
      );
    const open = await start("open", one, false), strict = await start("strict", one, true);
    const elsewhere = await start("elsewhere", other, true);
    const { cert_file, key_file } = await folder.pair("client", await one.issue({}));
    const session = `${folder.path}/session`, own = ["-cert", cert_file, "-key", key_file];
    const save = ["-sess_out", session], resume = ["-sess_in", session];

    for (const version of ["-tls1_2", "-tls1_3"]) {
      const again = (broker: Broker, ...args: string[]) => ping(broker, [version, ...args]);
      assertEquals(await again(open, ...save), { admitted: true, resumed: false }, version);
      assertEquals(await again(open, ...resume), { admitted: true, resumed: true }, version);
      assertEquals(await again(strict, ...resume), { admitted: false, resumed: true }, version);

      assertEquals(
        await again(strict, ...own, ...save),
        { admitted: true, resumed: false },
        version,
      );
      assertEquals(
        await again(strict, ...own, ...resume),
        { admitted: true, resumed: true },
        version,
      );
      assertEquals(
        await again(elsewhere, ...own, ...resume),
        { admitted: false, resumed: true },
        version,
      );
      assert(!(await again(elsewhere, ...own)).admitted, version);
    }
  },
});
