package rule

import "regexp"

// FieldID names a field, and is the place of its value in [Facts].
type FieldID uint8

// The fields of contract/platform.md §10.4 that something tells: a condition on
// what nobody tells would hold for all, or for none (docs/divergences.md).
const (
	TransactionCode FieldID = iota
	TransactionFlowCode
	TransactionNetwork
	TransactionDomain
	TransactionAmount
	TransactionTransactionCurrency
	TransactionBillingAmount
	TransactionBillingCurrency
	TransactionCashbackAmount
	TransactionIsCurrencyConversion
	TransactionMCC
	TransactionMCCGroup
	TransactionPOSEntryMode
	TransactionTerminalType
	TransactionTerminalPINCapability
	TransactionCardholderPresence
	TransactionIsContactless
	TransactionIsEcommerce
	TransactionIsMOTO
	TransactionIsRecurring
	TransactionIsCredentialOnFile
	TransactionIsTokenised
	TransactionIsInstallment
	TransactionIsPreAuthorization
	TransactionIsPartialApprovalSupported
	TransactionIsMerchantInitiated
	TransactionInstallmentCount
	TransactionWalletType
	TransactionChannel
	MerchantID
	MerchantName
	MerchantCity
	MerchantCountry
	MerchantAcquirerID
	MerchantIsOnUs
	TerminalID
	SecurityPINVerified
	SecurityCVV2Result
	SecurityCVCResult
	SecurityARQCResult
	SecurityCAVVResult
	SecurityIs3DSAuthenticated
	SecurityLiabilityShift
	SecurityECI
	SecuritySLI
	TimeLocalHour
	TimeLocalTime
	TimeDayOfWeek
	TimeDayOfMonth
	TimeLocalDate
	CardBIN
	CardCardLevel
	CardFormFactor
	CardOwnershipType
	CardAgeInDays
	CardDaysToExpiry
	CardIsNoname
	CardStatus
	CardDaysSinceActivation
	CardDaysSinceLastPINChange
	CardDaysSincePhoneChange
	ProductCode
	ProductGroupCode
	ProductCardType
	ProductBrand
	ProductCurrencyCode
	CustomerNo
	CustomerType
	CustomerSegmentCode
	CustomerKYCLevel
	CustomerAge
	CustomerNationality
	CustomerStatus
	CustomerAgeOfRelationDays
	CounterCardCount1h
	CounterCardCount24h
	CounterCardCount7d
	CounterCardCount30d
	CounterCardAmount1h
	CounterCardAmount24h
	CounterCardAmount7d
	CounterCardAmount30d
	CounterCardDeclineCount24h
	CounterCardDistinctCountries24h
	CounterCardDistinctMerchants24h
	CounterCustomerCount24h
	CounterCustomerCount30d
	CounterCustomerAmount24h
	CounterCustomerAmount30d
	LastMerchantCountry
	LastMinutesSince
	LastAmount
	IssuanceEvent
	IssuanceRenewalReason
	IssuanceIsExpress
	IssuanceYearlyRenewalCount
	CardAnnualSpend
	CardAnnualTransactionCount
	CardCardYear

	fieldCount
)

var (
	vaf               = []Context{Velocity, Authorization, TransactionFee}
	af                = []Context{Authorization, TransactionFee}
	authorizationOnly = []Context{Authorization}
	issuanceOnly      = []Context{IssuanceFee}
	annualOnly        = []Context{AnnualFee}
	vafin             = Contexts()

	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	countryCode  = regexp.MustCompile(`^[A-Z]{2}$`)
	categoryCode = regexp.MustCompile(`^[0-9]{4}$`)
	binCode      = regexp.MustCompile(`^[0-9]{6}([0-9]{2})?$`)
	numberCode   = regexp.MustCompile(`^[0-9]+$`)
	// Messages fill institutions up with zeros, which are taken off: with them no
	// value would ever be equal.
	institutionID = regexp.MustCompile(`^[1-9][0-9]*$`)
)

// fields describes each field. What the messages of a network may leave out is
// nullable, whatever a contract says that they should bring.
var fields = [fieldCount]Field{
	TransactionCode:                       {Name: "transaction.code", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "transactionCode", Values: transactionCodes},
	TransactionFlowCode:                   {Name: "transaction.flowCode", Type: Enum, Contexts: vaf, Enumeration: "flowCode", Values: flowCodes},
	TransactionNetwork:                    {Name: "transaction.network", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "network", Values: networks},
	TransactionDomain:                     {Name: "transaction.domain", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "domain", Values: domains},
	TransactionAmount:                     {Name: "transaction.amount", Type: Decimal, Contexts: vaf, Min: new(int64(0)), Step: "0.01"},
	TransactionTransactionCurrency:        {Name: "transaction.transactionCurrency", Type: String, Contexts: vaf, Pattern: currencyCode, MaxLength: 3},
	TransactionBillingAmount:              {Name: "transaction.billingAmount", Type: Decimal, Contexts: vaf, Min: new(int64(0)), Step: "0.01"},
	TransactionBillingCurrency:            {Name: "transaction.billingCurrency", Type: String, Contexts: vaf, Pattern: currencyCode, MaxLength: 3},
	TransactionCashbackAmount:             {Name: "transaction.cashbackAmount", Type: Decimal, Contexts: vaf, IsNullable: true, Min: new(int64(0)), Step: "0.01"},
	TransactionIsCurrencyConversion:       {Name: "transaction.isCurrencyConversion", Type: Boolean, Contexts: vaf},
	TransactionMCC:                        {Name: "transaction.mcc", Type: String, Contexts: vaf, Pattern: categoryCode, MaxLength: 4},
	TransactionMCCGroup:                   {Name: "transaction.mccGroup", Type: StringList, Contexts: vaf, Enumeration: "categoryGroup", Values: groupValues(), Lookup: "/api/v1/issuing/rule-engine/list", MaxLength: 32},
	TransactionPOSEntryMode:               {Name: "transaction.posEntryMode", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "posEntryMode", Values: posEntryModes},
	TransactionTerminalType:               {Name: "transaction.terminalType", Type: Enum, Contexts: vaf, Enumeration: "terminalType", Values: terminalTypes},
	TransactionTerminalPINCapability:      {Name: "transaction.terminalPinCapability", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "terminalPinCapability", Values: pinCapabilities},
	TransactionCardholderPresence:         {Name: "transaction.cardholderPresence", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "cardholderPresence", Values: presences},
	TransactionIsContactless:              {Name: "transaction.isContactless", Type: Boolean, Contexts: vaf},
	TransactionIsEcommerce:                {Name: "transaction.isEcommerce", Type: Boolean, Contexts: vaf},
	TransactionIsMOTO:                     {Name: "transaction.isMoto", Type: Boolean, Contexts: vaf},
	TransactionIsRecurring:                {Name: "transaction.isRecurring", Type: Boolean, Contexts: vaf},
	TransactionIsCredentialOnFile:         {Name: "transaction.isCredentialOnFile", Type: Boolean, Contexts: vaf},
	TransactionIsTokenised:                {Name: "transaction.isTokenised", Type: Boolean, Contexts: vaf},
	TransactionIsInstallment:              {Name: "transaction.isInstallment", Type: Boolean, Contexts: vaf},
	TransactionIsPreAuthorization:         {Name: "transaction.isPreAuthorization", Type: Boolean, Contexts: vaf},
	TransactionIsPartialApprovalSupported: {Name: "transaction.isPartialApprovalSupported", Type: Boolean, Contexts: vaf},
	TransactionIsMerchantInitiated:        {Name: "transaction.isMerchantInitiated", Type: Boolean, Contexts: vaf},
	TransactionInstallmentCount:           {Name: "transaction.installmentCount", Type: Integer, Contexts: vaf, IsNullable: true, Min: new(int64(0)), Max: new(int64(99))},
	TransactionWalletType:                 {Name: "transaction.walletType", Type: String, Contexts: vaf, IsNullable: true, MaxLength: 32},
	TransactionChannel:                    {Name: "transaction.channel", Type: Enum, Contexts: vaf, IsNullable: true, Enumeration: "channel", Values: channels},
	MerchantID:                            {Name: "merchant.id", Type: String, Contexts: vaf, MaxLength: 15},
	MerchantName:                          {Name: "merchant.name", Type: String, Contexts: vaf, IsNullable: true, MaxLength: 40},
	MerchantCity:                          {Name: "merchant.city", Type: String, Contexts: vaf, IsNullable: true, MaxLength: 40},
	MerchantCountry:                       {Name: "merchant.country", Type: String, Contexts: vaf, IsNullable: true, Pattern: countryCode, MaxLength: 2},
	MerchantAcquirerID:                    {Name: "merchant.acquirerId", Type: String, Contexts: vaf, IsNullable: true, Pattern: institutionID, MaxLength: 11},
	MerchantIsOnUs:                        {Name: "merchant.isOnUs", Type: Boolean, Contexts: vaf},
	TerminalID:                            {Name: "terminal.id", Type: String, Contexts: vaf, MaxLength: 8},
	SecurityPINVerified:                   {Name: "security.pinVerified", Type: Boolean, Contexts: af},
	SecurityCVV2Result:                    {Name: "security.cvv2Result", Type: Enum, Contexts: af, IsNullable: true, Enumeration: "cvcResult", Values: cvcResults},
	SecurityCVCResult:                     {Name: "security.cvcResult", Type: Enum, Contexts: af, IsNullable: true, Enumeration: "cvcResult", Values: cvcResults},
	SecurityARQCResult:                    {Name: "security.arqcResult", Type: Enum, Contexts: af, Enumeration: "arqcResult", Values: arqcResults},
	SecurityCAVVResult:                    {Name: "security.cavvResult", Type: Enum, Contexts: af, IsNullable: true, Enumeration: "cavvResult", Values: cavvResults},
	SecurityIs3DSAuthenticated:            {Name: "security.is3dsAuthenticated", Type: Boolean, Contexts: af},
	SecurityLiabilityShift:                {Name: "security.liabilityShift", Type: Boolean, Contexts: af, IsNullable: true},
	SecurityECI:                           {Name: "security.eci", Type: String, Contexts: af, IsNullable: true, MaxLength: 2},
	SecuritySLI:                           {Name: "security.sli", Type: String, Contexts: af, IsNullable: true, MaxLength: 3},
	TimeLocalHour:                         {Name: "time.localHour", Type: Integer, Contexts: vaf, Min: new(int64(0)), Max: new(int64(23))},
	TimeLocalTime:                         {Name: "time.localTime", Type: Time, Contexts: vaf},
	TimeDayOfWeek:                         {Name: "time.dayOfWeek", Type: Integer, Contexts: vaf, Min: new(int64(1)), Max: new(int64(7))},
	TimeDayOfMonth:                        {Name: "time.dayOfMonth", Type: Integer, Contexts: vaf, Min: new(int64(1)), Max: new(int64(31))},
	TimeLocalDate:                         {Name: "time.localDate", Type: Date, Contexts: vaf},
	CardBIN:                               {Name: "card.bin", Type: String, Contexts: vafin, Lookup: "/api/v1/issuing/product/bin", Pattern: binCode, MaxLength: 8},
	CardCardLevel:                         {Name: "card.cardLevel", Type: Enum, Contexts: vafin, Enumeration: "cardLevel", Values: cardLevels},
	CardFormFactor:                        {Name: "card.formFactor", Type: Enum, Contexts: vafin, Enumeration: "formFactor", Values: formFactors},
	CardOwnershipType:                     {Name: "card.ownershipType", Type: Enum, Contexts: vafin, Enumeration: "cardOwnershipType", Values: ownerships},
	CardAgeInDays:                         {Name: "card.ageInDays", Type: Integer, Contexts: vafin, Min: new(int64(0))},
	CardDaysToExpiry:                      {Name: "card.daysToExpiry", Type: Integer, Contexts: vafin},
	CardIsNoname:                          {Name: "card.isNoname", Type: Boolean, Contexts: vafin},
	CardStatus:                            {Name: "card.status", Type: Enum, Contexts: vafin, Enumeration: "cardStatus", Values: cardStatuses},
	CardDaysSinceActivation:               {Name: "card.daysSinceActivation", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	CardDaysSinceLastPINChange:            {Name: "card.daysSinceLastPinChange", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	CardDaysSincePhoneChange:              {Name: "card.daysSincePhoneChange", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	ProductCode:                           {Name: "product.code", Type: String, Contexts: vafin, Lookup: "/api/v1/issuing/product", MaxLength: 32},
	ProductGroupCode:                      {Name: "product.groupCode", Type: String, Contexts: vafin, IsNullable: true, Lookup: "/api/v1/issuing/product/group", MaxLength: 32},
	ProductCardType:                       {Name: "product.cardType", Type: Enum, Contexts: vafin, Enumeration: "cardType", Values: cardTypes},
	ProductBrand:                          {Name: "product.brand", Type: Enum, Contexts: vafin, Enumeration: "cardBrand", Values: cardBrands},
	ProductCurrencyCode:                   {Name: "product.currencyCode", Type: String, Contexts: vafin, Pattern: currencyCode, MaxLength: 3},
	CustomerNo:                            {Name: "customer.no", Type: String, Contexts: vafin, IsNullable: true, Pattern: numberCode, MaxLength: 20},
	CustomerType:                          {Name: "customer.type", Type: Enum, Contexts: vafin, IsNullable: true, Enumeration: "customerType", Values: customerTypes},
	CustomerSegmentCode:                   {Name: "customer.segmentCode", Type: String, Contexts: vafin, IsNullable: true, Lookup: "/api/v1/issuing/customer-segment", MaxLength: 32},
	CustomerKYCLevel:                      {Name: "customer.kycLevel", Type: Enum, Contexts: vafin, IsNullable: true, Enumeration: "kycLevel", Values: kycLevels},
	CustomerAge:                           {Name: "customer.age", Type: Integer, Contexts: vafin, IsNullable: true, Min: new(int64(0)), Max: new(int64(150))},
	CustomerNationality:                   {Name: "customer.nationality", Type: String, Contexts: vafin, IsNullable: true, Pattern: countryCode, MaxLength: 2},
	CustomerStatus:                        {Name: "customer.status", Type: Enum, Contexts: vafin, IsNullable: true, Enumeration: "customerStatus", Values: customerStatuses},
	CustomerAgeOfRelationDays:             {Name: "customer.ageOfRelationDays", Type: Integer, Contexts: vafin, IsNullable: true, Min: new(int64(0))},
	CounterCardCount1h:                    {Name: "counter.card.count.1h", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardCount24h:                   {Name: "counter.card.count.24h", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardCount7d:                    {Name: "counter.card.count.7d", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardCount30d:                   {Name: "counter.card.count.30d", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardAmount1h:                   {Name: "counter.card.amount.1h", Type: Decimal, Contexts: authorizationOnly, Min: new(int64(0)), Step: "0.01"},
	CounterCardAmount24h:                  {Name: "counter.card.amount.24h", Type: Decimal, Contexts: authorizationOnly, Min: new(int64(0)), Step: "0.01"},
	CounterCardAmount7d:                   {Name: "counter.card.amount.7d", Type: Decimal, Contexts: authorizationOnly, Min: new(int64(0)), Step: "0.01"},
	CounterCardAmount30d:                  {Name: "counter.card.amount.30d", Type: Decimal, Contexts: authorizationOnly, Min: new(int64(0)), Step: "0.01"},
	CounterCardDeclineCount24h:            {Name: "counter.card.declineCount24h", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardDistinctCountries24h:       {Name: "counter.card.distinctCountries24h", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCardDistinctMerchants24h:       {Name: "counter.card.distinctMerchants24h", Type: Integer, Contexts: authorizationOnly, Min: new(int64(0))},
	CounterCustomerCount24h:               {Name: "counter.customer.count.24h", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	CounterCustomerCount30d:               {Name: "counter.customer.count.30d", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	CounterCustomerAmount24h:              {Name: "counter.customer.amount.24h", Type: Decimal, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0)), Step: "0.01"},
	CounterCustomerAmount30d:              {Name: "counter.customer.amount.30d", Type: Decimal, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0)), Step: "0.01"},
	LastMerchantCountry:                   {Name: "last.merchantCountry", Type: String, Contexts: authorizationOnly, IsNullable: true, Pattern: countryCode, MaxLength: 2},
	LastMinutesSince:                      {Name: "last.minutesSince", Type: Integer, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0))},
	LastAmount:                            {Name: "last.amount", Type: Decimal, Contexts: authorizationOnly, IsNullable: true, Min: new(int64(0)), Step: "0.01"},
	IssuanceEvent:                         {Name: "issuance.event", Type: Enum, Contexts: issuanceOnly, Enumeration: "issuanceFeeEvent", Values: issuanceEvents},
	IssuanceRenewalReason:                 {Name: "issuance.renewalReason", Type: Enum, Contexts: issuanceOnly, IsNullable: true, Enumeration: "renewalReason", Values: renewalReasons},
	IssuanceIsExpress:                     {Name: "issuance.isExpress", Type: Boolean, Contexts: issuanceOnly},
	IssuanceYearlyRenewalCount:            {Name: "issuance.yearlyRenewalCount", Type: Integer, Contexts: issuanceOnly, Min: new(int64(0))},
	CardAnnualSpend:                       {Name: "card.annualSpend", Type: Decimal, Contexts: annualOnly, Min: new(int64(0)), Step: "0.01"},
	CardAnnualTransactionCount:            {Name: "card.annualTransactionCount", Type: Integer, Contexts: annualOnly, Min: new(int64(0))},
	CardCardYear:                          {Name: "card.cardYear", Type: Integer, Contexts: annualOnly, Min: new(int64(1))},
}

// groupValues are the groups that every tenant has beside its lists.
func groupValues() []Value {
	var all []Value
	for i, g := range categoryGroups {
		all = append(all, Value{i + 1, g.Code})
	}
	return all
}

// The enumerations with the codes of contract/platform.md §4.
var (
	transactionCodes = []Value{
		{0, "Purchase"}, {1, "CashWithdrawal"}, {2, "CashAdvance"}, {9, "PurchaseWithCashback"}, {11, "QuasiCash"},
		{18, "UniqueTransaction"}, {20, "Refund"}, {21, "CashDeposit"}, {28, "Payment"}, {30, "BalanceInquiry"},
		{38, "CardVerification"}, {40, "CardToCardTransfer"}, {50, "PreAuthorization"}, {51, "PreAuthorizationCompletion"}, {60, "InstallmentSale"},
		{70, "PinUnblock"}, {71, "PinChange"}, {80, "Fee"}, {81, "Adjustment"},
	}
	flowCodes = []Value{
		{10, "AuthorizationRequest"}, {11, "FinancialRequest"}, {12, "AuthorizationAdvice"}, {13, "FinancialAdvice"}, {20, "ReversalRequest"},
		{21, "ReversalAdvice"}, {30, "Clearing"}, {31, "ClearingReversal"}, {32, "Refund"}, {33, "Chargeback"},
		{34, "Representment"}, {35, "FeeCollection"}, {40, "InternalFee"}, {41, "ManualAdjustment"}, {50, "StatusCheck"},
	}
	networks = []Value{
		{0, "OnUs"}, {1, "Visa"}, {2, "Mastercard"}, {3, "Troy"}, {4, "Bkm"},
		{5, "UnionPay"}, {6, "Jcb"}, {7, "Amex"}, {8, "Discover"}, {9, "ClosedLoop"},
	}
	domains       = []Value{{1, "OnUs"}, {2, "Domestic"}, {3, "InternationalIntraRegion"}, {4, "International"}}
	posEntryModes = []Value{
		{0, "Unknown"}, {1, "Manual"}, {2, "MagneticStripe"}, {3, "QrCode"}, {4, "Ocr"},
		{5, "Chip"}, {6, "KeyEntry"}, {7, "ContactlessChip"}, {9, "EcommerceDsrp"}, {10, "CredentialOnFile"},
		{79, "ChipFallbackManual"}, {80, "ChipFallbackMagstripe"}, {81, "Ecommerce"}, {82, "AutoEntryServer"}, {90, "MagneticStripeFull"},
		{91, "ContactlessMagstripe"}, {95, "ChipCvvUnreliable"},
	}
	terminalTypes = []Value{
		{0, "Unspecified"}, {1, "Atm"}, {2, "Pos"}, {3, "UnattendedPos"}, {4, "MobilePos"},
		{5, "VirtualPos"}, {6, "Moto"}, {7, "Qr"}, {8, "TransitGate"}, {9, "BranchTerminal"},
		{10, "Kiosk"},
	}
	pinCapabilities = []Value{{0, "Unknown"}, {1, "PinCapable"}, {2, "NotPinCapable"}, {3, "SoftwarePin"}, {8, "PinPadDown"}}
	presences       = []Value{
		{0, "Present"}, {1, "NotPresentUnspecified"}, {2, "MailOrder"}, {3, "PhoneOrder"}, {4, "Recurring"},
		{5, "ElectronicOrder"}, {8, "RecurringInstallment"},
	}
	channels = []Value{
		{1, "Pos"}, {2, "Atm"}, {3, "Ecommerce"}, {4, "Moto"}, {5, "Qr"},
		{6, "Branch"}, {7, "Transit"},
	}
	cvcResults = []Value{
		{1, "M"}, {2, "N"}, {3, "P"}, {4, "S"}, {5, "U"},
		{6, "Y"},
	}
	arqcResults = []Value{
		{0, "NotPresent"}, {1, "NotChecked"}, {2, "Valid"}, {3, "Invalid"}, {4, "KeyNotFound"},
		{5, "HsmError"}, {6, "AtcReplay"},
	}
	cavvResults = []Value{
		{0, "0"}, {1, "1"}, {2, "2"}, {3, "3"}, {4, "4"},
		{6, "6"}, {7, "7"}, {8, "8"}, {9, "9"}, {10, "A"},
		{11, "B"}, {12, "C"}, {13, "D"},
	}
	cardLevels = []Value{
		{1, "Classic"}, {2, "Gold"}, {3, "Platinum"}, {4, "Signature"}, {5, "Infinite"},
		{6, "World"}, {7, "Business"}, {8, "Corporate"}, {9, "Prepaid"},
	}
	formFactors  = []Value{{1, "Physical"}, {2, "Virtual"}, {3, "PhysicalNoname"}, {4, "DigitalFirst"}}
	ownerships   = []Value{{1, "Main"}, {2, "Supplementary"}}
	cardStatuses = []Value{
		{0, "Pending"}, {1, "Active"}, {2, "Inactive"}, {3, "Blocked"}, {4, "Lost"},
		{5, "Stolen"}, {6, "Fraud"}, {7, "Cancelled"}, {8, "Damaged"}, {9, "Expired"},
		{10, "Renewed"},
	}
	cardTypes  = []Value{{1, "Prepaid"}, {2, "Debit"}, {3, "Credit"}}
	cardBrands = []Value{
		{1, "Visa"}, {2, "Mastercard"}, {3, "Troy"}, {4, "Amex"}, {5, "UnionPay"},
		{6, "Jcb"}, {7, "Diners"}, {9, "Proprietary"},
	}
	customerTypes    = []Value{{1, "Individual"}, {2, "Company"}}
	kycLevels        = []Value{{0, "None"}, {1, "Basic"}, {2, "Verified"}, {3, "Full"}}
	customerStatuses = []Value{{1, "Active"}, {2, "Passive"}, {3, "Deceased"}, {4, "Closed"}, {5, "Blocked"}}
	issuanceEvents   = []Value{
		{1, "FirstIssuance"}, {2, "AdditionalCard"}, {3, "RenewalOnExpiry"}, {4, "ReplacementLost"}, {5, "ReplacementStolen"},
		{6, "ReplacementDamaged"}, {7, "ReplacementFraud"}, {8, "NameChange"}, {9, "ProductChange"}, {10, "VirtualIssuance"},
		{11, "NonameIssuance"}, {12, "ExpressDelivery"}, {13, "PinMailer"},
	}
	renewalReasons = []Value{
		{1, "Expiry"}, {2, "Lost"}, {3, "Stolen"}, {4, "Fraud"}, {5, "Damaged"},
		{6, "NameChange"}, {7, "ProductChange"}, {8, "Undelivered"}, {9, "BulkReissue"},
	}
)
