import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { goodToken, type Fault, type SeenRequest } from "../../support/hub-server.ts";
import { assertRefused, demo, demoFiles, hubRoom, pull } from "../../support/pull.ts";

describe("HubClient", () => {
  const room = hubRoom();

  it("waits as long as Retry-After says", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const faults: (Fault | undefined)[] = [{ status: 429, headers: { "retry-after": "1" } }, { status: 502 }];
    room.hub.fault = () => faults.shift();
    const start = performance.now();
    await pull(demo, { onWait: (reason) => waits.push(reason) });
    assert.ok(performance.now() - start >= 1000);
    assert.match(waits[0]!, /too many requests \(status 429\); trying again in 1 s/);
    assert.match(waits[1]!, /status 502/);
  });

  it("reports why the hub refuses a request, and what to do", async () => {
    room.hub.add("clipscope/private", demoFiles, { access: "private" });
    room.hub.add("clipscope/gated", demoFiles, { access: "gated" });
    room.hub.add(demo, demoFiles);
    await assertRefused(
      pull("clipscope/private"),
      /^clipscope\/private: .*status 401.*check its name, or set a token in HF_TOKEN$/,
    );
    await assertRefused(
      pull("clipscope/gated"),
      /^clipscope\/gated: .*conditions.* at http:.*\/clipscope\/gated, then set a token/,
    );
    await assertRefused(pull(demo, { revision: "v9" }), /^clipscope\/demo: the revision does not exist/);
    process.env["HF_TOKEN"] = goodToken;
    await assertRefused(
      pull("clipscope/nothing"),
      /^clipscope\/nothing: not found at .*404.*check its name$/,
    );
    await pull("clipscope/private");
    process.env["HF_TOKEN"] = "hf_bad";
    await assertRefused(pull("clipscope/private"), /set another token in HF_TOKEN$/);
  });

  it("sends the token only to the hub", async () => {
    room.hub.add("clipscope/private", demoFiles, { access: "private" });
    await writeFile(join(room.home, "token"), `${goodToken}\n`);
    await pull("clipscope/private");
    const seen = (place: SeenRequest["at"]): Set<string | undefined> =>
      new Set(room.hub.requests.filter(({ at }) => at === place).map(({ authorization }) => authorization));
    assert.deepEqual([...seen("hub")], [`Bearer ${goodToken}`]);
    assert.deepEqual([...seen("cdn")], [undefined]);
  });

  it("refuses answers that are not the hub's", async () => {
    room.hub.fault = () => ({ status: 200, body: "<html>Please log in</html>" });
    await assertRefused(
      pull(demo),
      /not valid JSON \(.*\); check HF_ENDPOINT, and whether the network requires a login/,
    );
    room.hub.fault = () => ({ status: 200, body: '{"sha":"../../x"}' });
    await assertRefused(
      pull(demo),
      /expected a commit, found "\.\.\/\.\.\/x"; check that HF_ENDPOINT is a hub/,
    );
    await room.hub.stop();
    await assertRefused(pull(demo), /^127\.0\.0\.1:\d+: the connection failed \(ECONNREFUSED\), 3 times/);
    process.env["HF_ENDPOINT"] = "huggingface.co";
    await assertRefused(pull(demo), /^HF_ENDPOINT=huggingface\.co: expected a URL such as https/);
    process.env["HF_HUB_OFFLINE"] = "1";
    await assertRefused(pull(demo), /^HF_HUB_OFFLINE=1: downloads are disabled/);
  });

  it("uses the proxy of the environment", async () => {
    room.hub.add(demo, demoFiles);
    const hosts = new Set<string>();
    const proxy = createServer();
    proxy.on("connect", (request, client) => {
      hosts.add(request.url!);
      const { hostname: host, port } = new URL(`http://${request.url!}`);
      const server = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        server.pipe(client).pipe(server);
      });
      for (const end of [client, server]) end.on("error", () => undefined);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    process.env["http_proxy"] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await pull(demo);
    proxy.close();
    assert.equal(hosts.size, 2, "hub and CDN");
  });
});
