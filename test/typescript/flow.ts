// The issuing flow step by step (contract/platform.md §20), as an integrator
// would write it: every call goes through a client whose types were generated
// from the API's document, so a call that the document does not describe does
// not compile.
//
//   node flow.js BASE_URL CLIENT_ID CLIENT_SECRET

import assert from "node:assert/strict";
import {
	constants, createCipheriv, createDecipheriv, createHmac, generateKeyPairSync, privateDecrypt, randomBytes, randomUUID,
} from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [base, clientId, clientSecret] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl: base });

/** ok returns the body of an answer that must be a success. */
async function ok<T>(step: string, call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
	const { data, error, response } = await call;
	if (!response.ok) {
		throw new Error(`${step}: answered ${response.status}: ${JSON.stringify(error)}`);
	}
	console.log(`${step}: ${response.status}`);
	return data as T;
}

/** refused checks that a call is refused with a status and a code. */
async function refused(step: string, status: number, code: string, call: Promise<{ error?: unknown; response: Response }>) {
	const { error, response } = await call;
	const body = error as components["schemas"]["RemoteServiceErrorResponse"] | undefined;
	assert.equal(response.status, status, `${step}: ${JSON.stringify(error)}`);
	assert.equal(body?.error.code, code, step);
	console.log(`${step}: refused with ${status} ${code}`);
}

const once = () => ({ "X-Idempotency-Key": randomUUID() });

// 0. Get a token.
const token = await ok("0 token", api.POST("/api/v1/auth/token", { body: { clientId, clientSecret } }));
api.use({
	onRequest({ request }) {
		request.headers.set("Authorization", `Bearer ${token.accessToken}`);
		request.headers.set("Accept-Language", "en");
		return request;
	},
});
const claims = JSON.parse(Buffer.from(token.accessToken.split(".")[1]!, "base64url").toString()) as { tenantid: string };
const tenantId = claims.tenantid;

// 1. Exchange a key.
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const exchanged = await ok("1 key exchange", api.POST("/api/v1/issuing/integration/key-exchange", {
	body: { publicKey: rsa.publicKey.export({ type: "spki", format: "pem" }).toString(), keyUsage: "Data" },
}));
const transport = privateDecrypt(
	{ key: rsa.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
	Buffer.from(exchanged.encryptedKey, "base64"),
);
const encryption = { keyId: exchanged.keyId, algorithm: "A256GCM" as const };

/** seal encrypts a field for its place: base64 of IV, ciphertext and tag. */
function seal(cardToken: string, field: string, value: string): string {
	const iv = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", transport, iv).setAAD(Buffer.from(`${tenantId}|${cardToken}|${field}`));
	return Buffer.concat([iv, cipher.update(value), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

/** open decrypts a field that came from its place. */
function open(cardToken: string, field: string, sealed: string): string {
	const all = Buffer.from(sealed, "base64");
	const decipher = createDecipheriv("aes-256-gcm", transport, all.subarray(0, 12))
		.setAAD(Buffer.from(`${tenantId}|${cardToken}|${field}`)).setAuthTag(all.subarray(-16));
	return Buffer.concat([decipher.update(all.subarray(12, -16)), decipher.final()]).toString();
}

// 2. The host's part: attributes and a BIN.
const attributes = await ok("2 issuing attributes", api.GET("/api/v1/system/tenant/issuing-attribute"));
assert.equal(attributes.balanceMode, "Internal");
const bin = "9792" + String(Math.floor(Date.now() / 1000) % 10_000).padStart(4, "0");
await ok("2 BIN", api.POST("/api/v1/system/bin", {
	params: { header: once() },
	body: {
		bin, brand: "Troy", network: "Troy", cardType: "Prepaid", cardLevel: "Classic", currencyCode: "TRY",
		countryCode: "TR", panLength: 16, keySetCode: `K${bin}`,
	},
}));
const bins = await ok("2 list of BINs", api.GET("/api/v1/issuing/product/bin", { params: { query: { MaxResultCount: 100 } } }));
assert.ok(bins.items.some((b) => b.bin === bin), "the new BIN is listed");

// 3 to 6. BIN range, card art, product group, product.
const range = await ok("3 BIN range", api.POST("/api/v1/issuing/product/bin-range", {
	body: { code: "MAIN", name: "Main range", bin, rangeStart: `${bin}0000000`, rangeEnd: `${bin}9999999` },
}));
assert.equal(range.remainingCount, 10_000_000);
await ok("4 card art", api.POST("/api/v1/issuing/product/card-art", {
	body: { code: "BLUE", name: "Blue", persoDesignCode: "B-01", formFactor: "Physical" },
}));
await ok("5 product group", api.POST("/api/v1/issuing/product/group", { body: { code: "CARDS", name: "Cards" } }));
const product = await ok("6 product", api.POST("/api/v1/issuing/product", {
	body: {
		code: "CLASSIC", name: "Classic", groupCode: "CARDS", binRangeCode: "MAIN", cardType: "Prepaid", currencyCode: "TRY",
		allowedFormFactors: ["Physical", "Virtual", "PhysicalNoname"], validityMonths: 36, serviceCode: "201",
		chipProfileCode: "CVN18", contactlessEnabled: true, contactlessLimit: { currencyCode: "TRY", transactionLimit: 2500 },
		maxCardsPerCustomer: 0, requireDeliveryForActivation: true,
		physicals: [{ code: "STD", cardArtCode: "BLUE", plasticCode: "PVC", persoVendorCode: "BUREAU", isDefault: true }],
		policies: [{ policyType: "NonSecureEcommerce", isAllowed: true }],
	},
}));
assert.equal(product.status, "Active");

// 10. A webhook, and its test.
type Delivered = { headers: IncomingHttpHeaders; body: string; event: { eventId: string; eventType: string; cardToken?: string } };
const received: Delivered[] = [];
const receiver = createServer((request, response) => {
	const chunks: Buffer[] = [];
	request.on("data", (chunk: Buffer) => chunks.push(chunk));
	request.on("end", () => {
		const body = Buffer.concat(chunks).toString();
		received.push({ headers: request.headers, body, event: JSON.parse(body) });
		response.writeHead(204).end();
	});
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const hook = await ok("10 webhook", api.POST("/api/v1/issuing/webhook", {
	body: {
		webHookType: "Event", name: "Everything", eventTypes: ["*"],
		url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`,
	},
}));
await ok("10 ping", api.POST("/api/v1/issuing/webhook/{id}/test", { params: { path: { id: hook.id } } }));

/** event waits for an event of a type, of one card if it is given. */
async function event(type: string, cardToken?: string): Promise<Delivered> {
	for (let i = 0; i < 300; i++) {
		const found = received.find((d) => d.event.eventType === type && (!cardToken || d.event.cardToken === cardToken));
		if (found) {
			console.log(`   ${type} came`);
			return found;
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${type} does not come; ${received.map((d) => d.event.eventType)} came`);
}

const ping = await event("webhook.ping");
const key = Buffer.from(hook.secret!.replace(/^whsec_/, ""), "base64");
assert.equal(
	ping.headers["x-webhook-signature"],
	"v1=" + createHmac("sha256", key).update(`${ping.headers["x-webhook-timestamp"]}.${ping.body}`).digest("hex"),
);
assert.ok(String(ping.headers["webhook-signature"]).split(" ").includes("v1," + createHmac("sha256", key)
	.update(`${ping.headers["webhook-id"]}.${ping.headers["webhook-timestamp"]}.${ping.body}`).digest("base64")));

// 11 and 12. A segment and a customer.
await ok("11 segment", api.POST("/api/v1/issuing/customer-segment", { body: { code: "VIP", name: "Very important" } }));
const wanted: components["schemas"]["CreateCustomerRequest"] = {
	customerType: "Individual", name: "Ayşe", surname: "Işık", birthDate: "1991-04-12", nationality: "TR", segmentCode: "VIP",
	kycLevel: "Verified",
	identifications: [{ identificationType: "Tckn", identificationNo: "10000000146" }],
	communications: [{ communicationType: "MobilePhone", value: "+905321234567", isPreferred: true }],
	addresses: [{
		addressType: "Home", countryCode: "TR", cityCode: "34", townName: "Kadıköy", district: "Caferağa",
		addressLine1: "Moda Cad. No 1 D 2", isDefault: true,
	}],
};
const customer = await ok("12 customer", api.POST("/api/v1/issuing/customer/get-or-create", { body: wanted }));
assert.equal(customer.isCreated, true);
const { customerNo } = customer;
const again = await ok("12 the same customer", api.POST("/api/v1/issuing/customer/get-or-create", { body: { ...wanted, name: "Fatma" } }));
assert.deepEqual([again.isCreated, again.customerNo, again.name], [false, customerNo, "Ayşe"]);
const found = await ok("12 search", api.GET("/api/v1/issuing/customer", { params: { query: { Filter: "ISIK" } } }));
assert.equal(found.totalCount, 1, "I, ı, İ and i are one letter");

// 13a. A virtual card is active at once. The same key makes one card only.
const header = once();
const order = { customerNo, productCode: "CLASSIC", formFactor: "Virtual" as const };
const virtual = await ok("13a virtual card", api.POST("/api/v1/issuing/card", { params: { header }, body: order }));
assert.equal(virtual.cardStatus, "Active");
const repeated = await ok("13a the same call", api.POST("/api/v1/issuing/card", { params: { header }, body: order }));
assert.equal(repeated.cardToken, virtual.cardToken);
await refused("13a another call with its key", 409, "Common:IdempotencyKeyReused",
	api.POST("/api/v1/issuing/card", { params: { header }, body: { ...order, accountNo: "OTHER" } }));
await event("card.created", virtual.cardToken);

// 13b. A physical card waits for its delivery.
const physical = await ok("13b physical card", api.POST("/api/v1/issuing/card", {
	body: { customerNo, productCode: "CLASSIC", formFactor: "Physical", deliveryAddress: { addressType: "Home" } },
}));
assert.equal(physical.cardStatus, "Pending");
const path = { cardToken: physical.cardToken };

// 13c. Cards without a name, of which one finds its holder.
const batch = await ok("13c cards without a name", api.POST("/api/v1/issuing/card/noname", {
	params: { header: once() },
	body: { productCode: "CLASSIC", formFactor: "PhysicalNoname", count: 3, batchReference: "GIFT-1", deliveryMethod: "Branch", branchCode: "0001" },
}));
assert.deepEqual([batch.status, batch.createdCount, batch.cards.length], ["Completed", 3, 3]);
const gift = batch.cards[0]!;
const printed = await ok("13c what is printed on it", api.POST("/api/v1/sandbox/card-info", { body: { cardToken: gift.cardToken } }));
const linked = await ok("13c link", api.POST("/api/v1/issuing/card/noname/link", {
	body: {
		cardToken: gift.cardToken, customerNo, checkMethod: "ExpiryAndCvv2", expireYear: gift.expireYear, expireMonth: gift.expireMonth,
		encryptedCvv2: seal(gift.cardToken, "encryptedCvv2", printed.cvv2), encryption,
		activate: false,
	},
}));
assert.equal(linked.customerNo, customerNo);
await refused("13c link it again", 409, "Issuing:CardAlreadyLinked",
	api.POST("/api/v1/issuing/card/noname/link", { body: { cardToken: gift.cardToken, customerNo, checkMethod: "None" } }));
await event("card.linked", gift.cardToken);

// 14. Production and courier.
const perso = await ok("14 production", api.GET("/api/v1/issuing/card/{cardToken}/perso-info", { params: { path } }));
assert.equal(perso.persoStatus, "Requested");
const activate = { status: "Active", reason: "FirstActivation" } as const;
await refused("14 activation before delivery", 422, "Issuing:ActivationConditionNotMet",
	api.PUT("/api/v1/issuing/card/{cardToken}/status", { params: { path }, body: activate }));

// 16. The card in the app.
const shown = await ok("16 CVV2", api.POST("/api/v1/issuing/card/{cardToken}/cvv2/get-with-expire-date", {
	params: { path: { cardToken: virtual.cardToken } },
	body: { keyId: exchanged.keyId, includeCardNo: true, reason: "shown in the app" },
}));
const cvv2 = open(virtual.cardToken, "encryptedCvv2", shown.encryptedCvv2);
const cardNo = open(virtual.cardToken, "encryptedCardNo", shown.encryptedCardNo!);
assert.match(cvv2, /^[0-9]{3}$/);
assert.ok(cardNo.startsWith(bin) && cardNo.length === 16);
const verified = await ok("16 verify it", api.POST("/api/v1/issuing/card/{cardToken}/cvv2/verify", {
	params: { path: { cardToken: virtual.cardToken } },
	body: {
		encryptedCvv2: seal(virtual.cardToken, "encryptedCvv2", cvv2), expireYear: shown.expireYear, expireMonth: shown.expireMonth, encryption,
	},
}));
assert.equal(verified.isValid, true);
const byNumber = await ok("16 find it by its number", api.POST("/api/v1/issuing/card/find", {
	body: { encryptedCardNo: seal("", "encryptedCardNo", cardNo), encryption, purpose: "call centre" },
}));
assert.equal(byNumber.card.cardToken, virtual.cardToken);

// 20. Freeze and unfreeze.
for (const status of ["Inactive", "Active"] as const) {
	const moved = await ok(`20 ${status}`, api.PUT("/api/v1/issuing/card/{cardToken}/status", {
		params: { path: { cardToken: virtual.cardToken } }, body: { status, reason: "CustomerRequest" },
	}));
	assert.equal(moved.currentStatus.status, status);
}
await event("card.status-changed", virtual.cardToken);

// 20. Lost: another number takes its place, and the old one stays lost.
const lost = await ok("20 lost, with a replacement", api.PUT("/api/v1/issuing/card/{cardToken}/status", {
	params: { path: { cardToken: virtual.cardToken } }, body: { status: "Lost", reason: "LostReported", issueReplacement: true },
}));
const replacement = lost.issuanceResult?.newCardToken;
assert.ok(replacement && replacement !== virtual.cardToken, "a new number has a new token");
assert.equal(lost.issuanceNo, virtual.issuanceNo, "the issuance goes on");
await refused("20 it stays lost", 409, "Issuing:CardStatusTransitionNotAllowed",
	api.PUT("/api/v1/issuing/card/{cardToken}/status", { params: { path: { cardToken: virtual.cardToken } }, body: activate }));
await event("card.replaced");

// 20. Renewal for its expiry: the same token, a later expiry.
const renewed = await ok("20 renewal", api.POST("/api/v1/issuing/card/{cardToken}/renew", {
	params: { path: { cardToken: replacement }, header: once() }, body: { renewalReason: "Damaged", keepCardNumber: true },
}));
assert.equal(renewed.newCard?.cardToken, replacement);
assert.equal(renewed.newCard?.cardSequenceNo, 2);
await event("card.renewed", replacement);

const audits = await ok("what was done", api.GET("/api/v1/issuing/audit-log/card", {
	params: { query: { CardToken: virtual.cardToken, MaxResultCount: 100 } },
}));
for (const action of ["Create", "Cvv2View", "StatusChange"]) {
	assert.ok(audits.items.some((a) => a.actionType === action), `${action} is in the audit log`);
}
await ok("unregister", api.DELETE("/api/v1/issuing/webhook/{id}", { params: { path: { id: hook.id } } }));
receiver.close();
console.log("all as told");
