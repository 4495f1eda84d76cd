import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DenoHttpClient, HttpError } from "../../src/platform/mod.ts";

Deno.test("an HTTP client gets what is there, in time and not too long", async () => {
  const endless = Promise.withResolvers<Response>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/late") return endless.promise;
      if (pathname === "/long") return new Response("x".repeat(1000));
      if (pathname === "/user") return new Response(request.headers.get("authorization"));
      if (pathname === "/away") return Response.redirect(new URL("/here", request.url));
      return pathname === "/here" ? new Response("grüß") : new Response("no", { status: 404 });
    },
  );
  const at = `127.0.0.1:${server.addr.port}`;
  const client = new DenoHttpClient();
  try {
    const get = (url: string, timeoutMs = 10_000) => client.get(url, { timeoutMs, bytesMax: 100 });
    assertEquals(await get(`http://${at}/here`), { status: 200, text: "grüß" });
    assertEquals(await get(`http://${at}/away`), { status: 200, text: "grüß" });
    assertEquals(await get(`http://${at}/none`), { status: 404, text: "no" });
    assertEquals((await get(`http://me:p%40ss@${at}/user`)).text, `Basic ${btoa("me:p@ss")}`);
    const long = await assertRejects(() => get(`http://${at}/long`), HttpError);
    assertStringIncludes(long.message, "longer than 100 bytes");
    const late = await assertRejects(() => get(`http://me:secret@${at}/late`, 20), HttpError);
    assertEquals(late.message, "no answer within 20 ms");
    const gone = await assertRejects(() => get("http://me:secret@127.0.0.1:1/x"), HttpError);
    assertEquals(gone.message.includes("secret"), false);
  } finally {
    endless.resolve(new Response(""));
    client.close();
  }
});
