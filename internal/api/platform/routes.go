package platform

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	remove = http.MethodDelete
)

// routes is the whole surface. /connect/token and /.well-known/jwks.json, which
// do not speak this family's JSON, are in auth.go; the document is in document.go.
func (a *API) routes() {
	// Auth (contract/platform.md §2)
	register(a, route{post, "/api/v1/auth/token", "Issue a token", public, plain}, a.issueToken)
	register(a, route{post, "/api/v1/auth/refresh-token", "Refresh a token", public, plain}, a.refreshToken)

	// Key exchange (§1.8)
	const exchange = "/api/v1/issuing/integration/key-exchange"
	register(a, route{post, exchange, "Exchange a key", anyCaller, noStore}, a.exchangeKey)
	register(a, route{get, exchange, "List exchanged keys", anyCaller, plain}, a.listExchangedKeys)
	register(a, route{remove, exchange + "/{keyId}", "Drop an exchanged key", anyCaller, plain}, a.dropExchangedKey)

	// System parameters (§17)
	register(a, route{get, "/api/v1/system/tenant", "Show the tenant", access.SystemTenant, plain}, a.showTenant)
	register(a, route{put, "/api/v1/system/tenant", "Update the tenant", access.SystemTenant, plain}, a.updateTenant)
	const client = "/api/v1/system/client"
	const oneClient = client + "/{clientId}"
	register(a, route{post, client, "Create an API client", access.SystemTenant, noStore}, a.createClient)
	register(a, route{get, client, "List API clients", access.SystemTenant, plain}, a.listClients)
	register(a, route{get, oneClient, "Show an API client", access.SystemTenant, plain}, a.showClient)
	register(a, route{put, oneClient, "Update an API client", access.SystemTenant, plain}, a.updateClient)
	register(a, route{post, oneClient + "/disable", "Disable an API client", access.SystemTenant, plain}, a.disableClient)
	register(a, route{post, oneClient + "/enable", "Enable an API client", access.SystemTenant, plain}, a.enableClient)
	register(a, route{post, oneClient + "/rotate-secret", "Rotate the secret of an API client", access.SystemTenant, noStore}, a.rotateClientSecret)
	const attribute = "/api/v1/system/tenant/issuing-attribute"
	register(a, route{get, attribute, "Show the issuing attributes", access.SystemTenant, plain}, a.showAttributes)
	register(a, route{post, attribute, "Create the issuing attributes", access.SystemTenant, once}, a.createAttributes)
	register(a, route{put, attribute, "Update the issuing attributes", access.SystemTenant, plain}, a.updateAttributes)
	const conversion = "/api/v1/system/tenant/currency-conversion"
	register(a, route{get, conversion, "Show the currency conversion", access.SystemTenant, plain}, a.showCurrencyConversion)
	register(a, route{put, conversion, "Update the currency conversion", access.SystemTenant, plain}, a.updateCurrencyConversion)
	register(a, route{post, "/api/v1/system/bin", "Create a BIN", access.SystemBIN, once}, a.createBin)
	register(a, route{get, "/api/v1/system/bin/{bin}", "Show a BIN", access.SystemBIN, plain}, a.showBin)
	register(a, route{put, "/api/v1/system/bin/{bin}", "Update a BIN", access.SystemBIN, plain}, a.updateBin)

	const rate = "/api/v1/system/exchange-rate"
	register(a, route{post, rate, "Create an exchange rate", access.SystemExchangeRate, once}, a.createExchangeRate)
	register(a, route{get, rate, "List exchange rates", access.SystemExchangeRate, plain}, a.listExchangeRates)
	register(a, route{put, rate + "/{id}", "Update an exchange rate", access.SystemExchangeRate, plain}, a.updateExchangeRate)

	// Customers (§5)
	const customer = "/api/v1/issuing/customer"
	register(a, route{post, customer, "Create a customer", access.IssuingCustomerCreate, once}, a.createCustomer)
	register(a, route{post, customer + "/get-or-create", "Find or create a customer", access.IssuingCustomerCreate, once}, a.findOrCreateCustomer)
	register(a, route{get, customer, "List customers", access.IssuingCustomer, plain}, a.listCustomers)
	register(a, route{get, customer + "/{customerNo}", "Show a customer", access.IssuingCustomer, plain}, a.showCustomer)
	register(a, route{put, customer + "/{customerNo}", "Update a customer", access.IssuingCustomerUpdate, plain}, a.updateCustomer)
	register(a, route{put, customer + "/{customerNo}/segment", "Set the segment of a customer", access.IssuingCustomerUpdate, plain}, a.setCustomerSegment)
	register(a, route{post, customer + "/{customerNo}/address/upsert", "Add or replace an address", access.IssuingCustomerUpdate, once}, a.putCustomerAddress)
	register(a, route{post, customer + "/{customerNo}/communication/upsert", "Add or replace a communication", access.IssuingCustomerUpdate, once}, a.putCustomerCommunication)
	register(a, route{post, customer + "/{customerNo}/identification/upsert", "Add or replace an identification", access.IssuingCustomerUpdate, once}, a.putCustomerIdentification)
	register(a, route{post, customer + "/user-note", "Add a note about a customer", access.IssuingCustomerNote, once}, a.addCustomerNote)
	register(a, route{get, customer + "/user-note", "List the notes about a customer", access.IssuingCustomerNote, plain}, a.listCustomerNotes)
	const segment = "/api/v1/issuing/customer-segment"
	register(a, route{post, segment, "Create a segment", access.IssuingCustomerUpdate, once}, a.createSegment)
	register(a, route{get, segment, "List segments", access.IssuingCustomer, plain}, a.listSegments)
	register(a, route{put, segment + "/{segmentCode}", "Update a segment", access.IssuingCustomerUpdate, plain}, a.updateSegment)
	register(a, route{remove, segment + "/{segmentCode}", "Delete a segment", access.IssuingCustomerUpdate, plain}, a.deleteSegment)

	// Products (§6)
	const product = "/api/v1/issuing/product"
	const oneProduct = product + "/{productCode}"
	register(a, route{get, product + "/bin", "List BINs", access.IssuingProduct, plain}, a.listBins)
	register(a, route{post, product + "/bin-range", "Create a BIN range", access.IssuingProductManage, once}, a.createBinRange)
	register(a, route{get, product + "/bin-range", "List BIN ranges", access.IssuingProduct, plain}, a.listBinRanges)
	register(a, route{put, product + "/bin-range/{binRangeCode}", "Update a BIN range", access.IssuingProductManage, plain}, a.updateBinRange)
	register(a, route{post, product + "/group", "Create a product group", access.IssuingProductManage, once}, a.createProductGroup)
	register(a, route{get, product + "/group", "List product groups", access.IssuingProduct, plain}, a.listProductGroups)
	register(a, route{put, product + "/group/{groupCode}", "Update a product group", access.IssuingProductManage, plain}, a.updateProductGroup)
	register(a, route{remove, product + "/group/{groupCode}", "Delete a product group", access.IssuingProductManage, plain}, a.deleteProductGroup)
	register(a, route{post, product + "/card-art", "Create a card art", access.IssuingProductManage, once}, a.createCardArt)
	register(a, route{get, product + "/card-art", "List card arts", access.IssuingProduct, plain}, a.listCardArts)
	register(a, route{put, product + "/card-art/{cardArtCode}", "Rename a card art", access.IssuingProductManage, plain}, a.renameCardArt)
	register(a, route{remove, product + "/card-art/{cardArtCode}", "Delete a card art", access.IssuingProductManage, plain}, a.deleteCardArt)
	register(a, route{post, product, "Create a product", access.IssuingProductManage, once}, a.createProduct)
	register(a, route{get, product, "List products", access.IssuingProduct, plain}, a.listProducts)
	register(a, route{get, oneProduct, "Show a product", access.IssuingProduct, plain}, a.showProduct)
	register(a, route{put, oneProduct, "Update a product", access.IssuingProductManage, plain}, a.updateProduct)
	register(a, route{put, oneProduct + "/contactless-limit", "Set the contactless limit of a product", access.IssuingProductManage, plain}, a.setContactlessLimit)
	register(a, route{remove, oneProduct, "Delete a product", access.IssuingProductManage, plain}, a.deleteProduct)

	// Cards (§7, §8)
	const card = "/api/v1/issuing/card"
	const oneCard = card + "/{cardToken}"
	register(a, route{post, card, "Create a card", access.IssuingCardCreate, once}, a.createCard)
	register(a, route{get, card, "List cards", access.IssuingCard, plain}, a.listCards)
	register(a, route{get, oneCard, "Show a card", access.IssuingCard, plain}, a.showCard)
	register(a, route{get, oneCard + "/details", "Show the details of a card", access.IssuingCard, plain}, a.showCardDetails)
	register(a, route{get, oneCard + "/policy", "Show the policies of a card", access.IssuingCard, plain}, a.showCardPolicy)
	register(a, route{put, oneCard + "/policy", "Change the policies of a card", access.IssuingCardPolicy, plain}, a.changeCardPolicy)
	register(a, route{get, oneCard + "/perso-info", "Show the production of a card", access.IssuingCard, plain}, a.showPerso)
	register(a, route{get, oneCard + "/shipment-info", "Show the shipment of a card", access.IssuingCard, plain}, a.showShipment)
	register(a, route{put, oneCard + "/phone-number", "Change the phone number of a card", access.IssuingCardPhone, plain}, a.changeCardPhone)
	register(a, route{put, oneCard + "/digital-slip-type", "Change the digital slip type of a card", access.IssuingCardPolicy, plain}, a.changeSlipType)
	register(a, route{put, oneCard + "/auto-renewal-status", "Change the auto renewal status of a card", access.IssuingCardRenew, plain}, a.changeAutoRenewal)
	register(a, route{post, card + "/noname", "Create noname cards", access.IssuingCardNoname, once}, a.createNoname)
	register(a, route{get, card + "/noname/{batchId}", "Show a batch of noname cards", access.IssuingCardNoname, plain}, a.showNoname)
	register(a, route{post, card + "/noname/link", "Link a noname card to a customer", access.IssuingCardNoname, noStore}, a.linkNoname)
	register(a, route{post, card + "/noname/unlink", "Unlink a noname card", access.IssuingCardNoname, once}, a.unlinkNoname)
	register(a, route{post, card + "/find", "Find a card by its number", access.IssuingCard, noStore}, a.findCard)
	register(a, route{post, card + "/detokenize", "Detokenize cards", access.IssuingCardSensitive, noStore}, a.detokenize)
	register(a, route{put, card + "/customer-card-statuses", "Change the statuses of a customer's cards", access.IssuingCardStatus, plain}, a.changeCustomerCards)
	register(a, route{put, oneCard + "/status", "Change the status of a card", access.IssuingCardStatus, plain}, a.changeCardStatus)
	register(a, route{post, oneCard + "/renew", "Renew a card", access.IssuingCardRenew, once}, a.renewCard)
	register(a, route{post, oneCard + "/cvv2/get-with-expire-date", "Show a CVV2", access.IssuingCardSensitive, noStore}, a.showCVV2)
	register(a, route{post, oneCard + "/cvv2/verify", "Verify a CVV2", access.IssuingCard, noStore}, a.verifyCVV2)
	register(a, route{post, oneCard + "/cvv2/reset-counters", "Reset the CVV2 tries", access.IssuingCardStatus, noStore}, a.resetCVV2)
	register(a, route{post, oneCard + "/pin/verify", "Verify a PIN", access.IssuingPINVerify, noStore}, a.verifyPIN)
	register(a, route{post, oneCard + "/pin/set", "Set a PIN", access.IssuingPINSet, noStore}, a.setPIN)
	register(a, route{post, oneCard + "/pin/change", "Change a PIN", access.IssuingPINChange, noStore}, a.changePIN)
	register(a, route{post, oneCard + "/pin/unblock", "Unblock a PIN", access.IssuingPINUnblock, noStore}, a.unblockPIN)
	register(a, route{post, oneCard + "/pin/set-random", "Set a random PIN", access.IssuingPINSet, noStore}, a.setRandomPIN)
	register(a, route{post, oneCard + "/pin/send-sms", "Send a PIN by SMS", access.IssuingPINSend, noStore}, a.sendPIN)
	register(a, route{post, card + "/user-note", "Add a note about a card", access.IssuingCustomerNote, once}, a.addCardNote)
	register(a, route{get, card + "/user-note", "List the notes about a card", access.IssuingCustomerNote, plain}, a.listCardNotes)

	// What bureaus and couriers tell (§8.5)
	register(a, route{post, "/api/v1/issuing/perso/event", "Take in what a bureau tells", access.IssuingCardShipment, plain}, a.takePersoEvents)
	register(a, route{post, "/api/v1/issuing/shipment/event", "Take in what a courier tells", access.IssuingCardShipment, plain}, a.takeShipmentEvents)

	// Audit (§16)
	const auditLog = "/api/v1/issuing/audit-log"
	register(a, route{get, auditLog + "/card", "List what was done to cards", access.IssuingAuditLog, plain}, a.listCardAudits)
	register(a, route{get, auditLog + "/product", "List what was done to products", access.IssuingAuditLog, plain}, a.listProductAudits)
	register(a, route{get, auditLog + "/policy", "List what was done to policies", access.IssuingAuditLog, plain}, a.listPolicyAudits)

	// Accounts of balance mode Internal, and transactions (§9)
	const account = "/api/v1/issuing/account/{accountNo}"
	register(a, route{get, account, "Show an account", access.IssuingAccount, plain}, a.showAccount)
	register(a, route{post, account + "/adjustment", "Adjust an account", access.IssuingAccountAdjust, once}, a.adjustAccount)
	register(a, route{get, account + "/entry", "List the entries of an account", access.IssuingAccount, plain}, a.listAccountEntries)
	register(a, route{get, "/api/v1/issuing-transaction/card-transaction", "List card transactions", access.IssuingTransaction, plain}, a.listTransactions)
	register(a, route{get, "/api/v1/issuing/transaction/{transactionId}/trace", "Explain a transaction", access.IssuingTransaction, plain}, a.traceTransaction)

	// Rules (§10.1)
	const rules = "/api/v1/issuing/rule-engine"
	register(a, route{get, rules + "/fields", "List the fields of rules", anyCaller, plain}, a.listRuleFields)
	register(a, route{post, rules + "/validate", "Validate a rule", access.IssuingAuthorizationControl, plain}, a.validateRule)
	register(a, route{post, rules + "/evaluate", "Evaluate a rule", access.IssuingAuthorizationControl, plain}, a.evaluateRule)
	register(a, route{get, rules + "/findings", "List what controls can hardly be meant to do", access.IssuingAuthorizationControl, plain}, a.listFindings)
	register(a, route{post, rules + "/list", "Create a named list", access.IssuingAuthorizationControlManage, once}, a.createNamedList)
	register(a, route{get, rules + "/list", "List named lists", access.IssuingAuthorizationControl, plain}, a.listNamedLists)
	register(a, route{get, rules + "/list/{listCode}", "Show a named list", access.IssuingAuthorizationControl, plain}, a.showNamedList)
	register(a, route{put, rules + "/list/{listCode}", "Update a named list", access.IssuingAuthorizationControlManage, plain}, a.updateNamedList)
	register(a, route{remove, rules + "/list/{listCode}", "Delete a named list", access.IssuingAuthorizationControlManage, plain}, a.deleteNamedList)

	// Webhooks (§14.1)
	const hooks = "/api/v1/issuing/webhook"
	const oneHook = hooks + "/{id}"
	register(a, route{post, hooks, "Register a webhook", access.IssuingWebHookManage, noStore}, a.registerWebhook)
	register(a, route{get, hooks, "List webhooks", access.IssuingWebHook, plain}, a.listWebhooks)
	register(a, route{put, oneHook, "Update a webhook", access.IssuingWebHookManage, plain}, a.updateWebhook)
	register(a, route{remove, oneHook, "Unregister a webhook", access.IssuingWebHookManage, plain}, a.unregisterWebhook)
	register(a, route{post, oneHook + "/test", "Test a webhook", access.IssuingWebHookManage, plain}, a.testWebhook)
	register(a, route{post, oneHook + "/rotate-secret", "Rotate the secret of a webhook", access.IssuingWebHookManage, noStore}, a.rotateWebhookSecret)
	register(a, route{get, oneHook + "/deliveries", "List deliveries of a webhook", access.IssuingWebHook, plain}, a.listDeliveries)
	register(a, route{post, oneHook + "/deliveries/{deliveryId}/redeliver", "Redeliver to a webhook", access.IssuingWebHookManage, plain}, a.redeliver)

	// Velocity controls (§11.1)
	const velocity = "/api/v1/issuing/velocity-control"
	register(a, route{post, velocity, "Create a velocity control", access.IssuingVelocityManage, once}, a.createVelocityCheck)
	register(a, route{get, velocity, "List velocity controls", access.IssuingVelocity, plain}, a.listVelocityChecks)
	register(a, route{post, velocity + "/link", "Link a velocity control", access.IssuingVelocityManage, once}, a.linkVelocityCheck)
	register(a, route{get, velocity + "/link", "List links of velocity controls", access.IssuingVelocity, plain}, a.listVelocityLinks)
	register(a, route{remove, velocity + "/link/{linkId}", "Unlink a velocity control", access.IssuingVelocityManage, plain}, a.velocityChecks().unlink)
	register(a, route{get, velocity + "/card/{cardToken}/limits", "Show the velocity limits of a card", access.IssuingVelocity, plain}, a.listCardLimits)
	register(a, route{get, velocity + "/card/{cardToken}/limits/{velocityCheckCode}/transaction", "List the transactions that use a velocity limit of a card", access.IssuingVelocity, plain}, a.listLimitTransactions)
	register(a, route{post, velocity + "/card/{cardToken}", "Set a velocity limit of a card", access.IssuingVelocityManage, once}, a.setCardVelocity)
	register(a, route{get, velocity + "/card/{cardToken}", "List the velocity limits that were set for a card", access.IssuingVelocity, plain}, a.listCardVelocities)
	register(a, route{remove, velocity + "/card/{cardToken}/{velocityCheckCode}", "Remove a velocity limit of a card", access.IssuingVelocityManage, plain}, a.deleteCardVelocity)
	register(a, route{get, velocity + "/{code}", "Show a velocity control", access.IssuingVelocity, plain}, a.showVelocityCheck)
	register(a, route{put, velocity + "/{code}", "Update a velocity control", access.IssuingVelocityManage, plain}, a.updateVelocityCheck)
	register(a, route{remove, velocity + "/{code}", "Delete a velocity control", access.IssuingVelocityManage, plain}, a.deleteVelocityCheck)

	// Fees (§13.1)
	const fees = "/api/v1/issuing/fee-management"
	const read, manage = access.IssuingFee, access.IssuingFeeManage
	onTransaction, onIssuance, yearly := a.transactionFees(), a.issuanceFees(), a.annualFees()
	register(a, route{post, fees + "/transaction", "Create a transaction fee", manage, once}, a.createTransactionFee)
	register(a, route{get, fees + "/transaction", "List transaction fees", read, plain}, onTransaction.list)
	register(a, route{post, fees + "/transaction/link", "Link a transaction fee", manage, once}, onTransaction.link)
	register(a, route{get, fees + "/transaction/link", "List links of transaction fees", read, plain}, onTransaction.links)
	register(a, route{remove, fees + "/transaction/link/{linkId}", "Unlink a transaction fee", manage, plain}, onTransaction.unlink)
	register(a, route{get, fees + "/transaction/{feeCode}", "Show a transaction fee", read, plain}, onTransaction.show)
	register(a, route{put, fees + "/transaction/{feeCode}", "Update a transaction fee", manage, plain}, onTransaction.update)
	register(a, route{remove, fees + "/transaction/{feeCode}", "Delete a transaction fee", manage, plain}, onTransaction.delete)
	register(a, route{post, fees + "/card-issuance", "Create a card issuance fee", manage, once}, a.createIssuanceFee)
	register(a, route{get, fees + "/card-issuance", "List card issuance fees", read, plain}, onIssuance.list)
	register(a, route{post, fees + "/card-issuance/link", "Link a card issuance fee", manage, once}, onIssuance.link)
	register(a, route{get, fees + "/card-issuance/link", "List links of card issuance fees", read, plain}, onIssuance.links)
	register(a, route{remove, fees + "/card-issuance/link/{linkId}", "Unlink a card issuance fee", manage, plain}, onIssuance.unlink)
	register(a, route{get, fees + "/card-issuance/{feeCode}", "Show a card issuance fee", read, plain}, onIssuance.show)
	register(a, route{put, fees + "/card-issuance/{feeCode}", "Update a card issuance fee", manage, plain}, onIssuance.update)
	register(a, route{remove, fees + "/card-issuance/{feeCode}", "Delete a card issuance fee", manage, plain}, onIssuance.delete)
	register(a, route{post, fees + "/card-annual", "Create a card annual fee", manage, once}, a.createAnnualFee)
	register(a, route{get, fees + "/card-annual", "List card annual fees", read, plain}, yearly.list)
	register(a, route{post, fees + "/card-annual/link", "Link a card annual fee", manage, once}, yearly.link)
	register(a, route{get, fees + "/card-annual/link", "List links of card annual fees", read, plain}, yearly.links)
	register(a, route{remove, fees + "/card-annual/link/{linkId}", "Unlink a card annual fee", manage, plain}, yearly.unlink)
	register(a, route{get, fees + "/card-annual/{feeCode}", "Show a card annual fee", read, plain}, yearly.show)
	register(a, route{put, fees + "/card-annual/{feeCode}", "Update a card annual fee", manage, plain}, yearly.update)
	register(a, route{remove, fees + "/card-annual/{feeCode}", "Delete a card annual fee", manage, plain}, yearly.delete)

	// Authorization controls (§12.1)
	const control = "/api/v1/issuing/authorization-control"
	register(a, route{post, control, "Create an authorization control", access.IssuingAuthorizationControlManage, once}, a.createAuthorizationCheck)
	register(a, route{get, control, "List authorization controls", access.IssuingAuthorizationControl, plain}, a.listAuthorizationChecks)
	register(a, route{post, control + "/link", "Link an authorization control", access.IssuingAuthorizationControlManage, once}, a.linkAuthorizationCheck)
	register(a, route{get, control + "/link", "List links of authorization controls", access.IssuingAuthorizationControl, plain}, a.listAuthorizationLinks)
	register(a, route{remove, control + "/link/{linkId}", "Unlink an authorization control", access.IssuingAuthorizationControlManage, plain}, a.authorizationChecks().unlink)
	register(a, route{put, control + "/{code}", "Update an authorization control", access.IssuingAuthorizationControlManage, plain}, a.updateAuthorizationCheck)
	register(a, route{remove, control + "/{code}", "Delete an authorization control", access.IssuingAuthorizationControlManage, plain}, a.deleteAuthorizationCheck)

	// What if (docs/replay.md)
	const replay = "/api/v1/issuing/replay"
	register(a, route{post, replay, "Start a replay", access.IssuingAuthorizationControlManage, once}, a.startReplay)
	register(a, route{get, replay + "/{replayId}", "Show a replay", access.IssuingAuthorizationControlManage, plain}, a.showReplay)
	register(a, route{get, replay + "/{replayId}/difference", "List differences of a replay", access.IssuingAuthorizationControlManage, plain}, a.listReplayDifferences)

	// Sandbox (§15)
	register(a, route{post, "/api/v1/sandbox/card-info", "Show a test card in clear", access.SandboxCard, plain}, a.showClearCard)
	register(a, route{post, "/api/v1/sandbox/pin-block/generate", "Generate a PIN block", access.SandboxCard, plain}, a.makePINBlock)
	register(a, route{post, "/api/v1/sandbox/pin-block/extract", "Extract a clear PIN", access.SandboxCard, plain}, a.readPINBlock)
	register(a, route{post, "/api/v1/sandbox/pin-test", "Test a PIN", access.SandboxCard, plain}, a.testPIN)
	register(a, route{post, "/api/v1/sandbox/encrypt-card-number", "Encrypt a card number", access.SandboxCard, plain}, a.encryptCardNumber)
	const transaction = "/api/v1/sandbox/transaction"
	register(a, route{post, transaction + "/process", "Process a test transaction", access.SandboxTransaction, noStore}, a.processTransaction)
	register(a, route{post, transaction + "/void", "Void a test transaction", access.SandboxTransaction, noStore}, a.voidTransaction)
	register(a, route{post, transaction + "/refund", "Refund a test transaction", access.SandboxTransaction, noStore}, a.refundTransaction)
	register(a, route{post, transaction + "/clear", "Clear a test transaction", access.SandboxTransaction, noStore}, a.clearTransaction)
	register(a, route{post, transaction + "/advance-time", "Advance the time of the sandbox", access.SandboxTransaction, noStore}, a.advanceTime)
	register(a, route{get, "/api/v1/sandbox/inbox", "List what customers were told", access.SandboxCard, plain}, a.listInbox)
}
