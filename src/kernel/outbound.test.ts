import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { createOutbound, newWebhookSecret, signatureOf } from "./outbound.ts";

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));
const listen = async (answer: RequestListener): Promise<number> => {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return (server.address() as AddressInfo).port;
};

const strict = createOutbound({ privateHosts: [], egress: ["hooks.example.com=EU"] });
const message = { id: "msg_1", body: '{"a":1}', secret: newWebhookSecret(), region: "", now: 1_700_000_000_000 };

describe("the way out", () => {
  it("reaches no address that is not public, however it is written", async () => {
    const hosts = ["127.0.0.1", "2130706433", "0x7f.1", "0.0.0.0", "10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fe80::1]", "[fd00::1]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255"]; // prettier-ignore
    for (const host of hosts) expect(() => strict.check(`https://${host}/`, ""), host).toThrow(/no public address/);
    for (const address of ["http://example.com", "ftp://example.com", "file:///etc/passwd", "javascript:alert(1)", "gopher://x"]) expect(() => strict.check(address, ""), address).toThrow(/Only https/); // prettier-ignore
    expect(() => strict.check("https://user:pass@example.com", "")).toThrow(/name and a password/);
    expect(() => strict.check("nonsense", "")).toThrow(/no address/);
    expect(() => strict.check("https://example.com/in?key=1", "")).not.toThrow();
    expect(() => strict.check("https://[2606:4700::1111]/", "")).not.toThrow();
  });

  it("decides on the address that a name leads to, when it connects", async () => {
    let asked = 0;
    const port = await listen((_, response) => {
      asked += 1;
      response.end();
    });
    // a name that is fine to look at and leads home
    await expect(strict.post({ ...message, address: `https://localhost:${port}/` })).rejects.toThrow(/not public/);
    expect(asked).toBe(0);
  });

  it("stays in the region of the workspace", () => {
    expect(() => strict.check("https://hooks.example.com/", "EU")).not.toThrow();
    expect(() => strict.check("https://hooks.example.com/", "US")).toThrow(/pinned to US; hooks.example.com is in EU/);
    expect(() => strict.check("https://elsewhere.example.com/", "EU")).toThrow(/in no region/);
  });

  it("sends what is signed where it is allowed to, follows no redirect, and does not wait for ever", async () => {
    const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
    const port = await listen((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push({ headers: request.headers, body });
        if (request.url === "/away") response.writeHead(302, { location: "http://169.254.169.254/" }).end();
        else if (request.url === "/no") response.writeHead(500).end("no");
        else if (request.url === "/endless") {
          response.writeHead(200);
          const pour = setInterval(() => response.write("x".repeat(20_000)), 1);
          response.on("close", () => clearInterval(pour));
        } else response.writeHead(204).end();
      });
    });
    const outbound = createOutbound({ privateHosts: [`localhost:${port}`], egress: [] });
    const address = `http://localhost:${port}`;
    await outbound.post({ ...message, address: `${address}/in` });
    const [{ headers, body }] = seen as [(typeof seen)[number]];
    expect(body).toBe(message.body);
    expect(headers["webhook-id"]).toBe("msg_1");
    expect(headers["webhook-signature"]).toBe(signatureOf(message.secret, "msg_1", 1_700_000_000, body));
    await expect(outbound.post({ ...message, address: `${address}/away` })).rejects.toThrow(/302. A redirect is not followed/); // prettier-ignore
    await expect(outbound.post({ ...message, address: `${address}/no` })).rejects.toThrow(/answered with 500/);
    await outbound.post({ ...message, address: `${address}/endless` });
    // what is allowed is that port and nothing beside it
    expect(() => outbound.check(`http://localhost:${port + 1}`, "")).toThrow(/Only https/);
  });

  it("signs as Standard Webhooks says", () => {
    // the example of its specification
    expect(signatureOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}')).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="); // prettier-ignore
  });
});
