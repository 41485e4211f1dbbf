package platform

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/vault"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// outward is how this family shows a refusal. Its message is "fault.<code>" of
// the catalogues in internal/locale.
type outward struct {
	status int
	code   string
}

// refusals says it for every code of every domain; a test holds it to their
// lists. Rows of one domain stand together, in the order of its own list.
var refusals = map[fault.Code]outward{
	// HTTP itself
	api.CodeInvalid:          {400, "Common:ValidationError"},
	api.CodeTooLarge:         {413, "Common:BodyTooLarge"},
	api.CodeMediaType:        {415, "Common:UnsupportedMediaType"},
	api.CodeNoRoute:          {404, "Common:NotFound"},
	api.CodeMethodNotAllowed: {405, "Common:MethodNotAllowed"},
	api.CodeTooManyRequests:  {429, "Common:TooManyRequests"},
	api.CodeSensitiveText:    {422, "Common:SensitiveDataInText"},
	api.CodeAmountPrecision:  {422, "Common:AmountPrecision"},
	api.CodeInternal:         {500, "Common:InternalError"},

	// access
	access.CodeUnauthenticated:      {401, "Common:Unauthenticated"},
	access.CodeForbidden:            {403, "Common:Forbidden"},
	access.CodeInvalidClient:        {401, "Auth:InvalidClient"},
	access.CodeClientLocked:         {401, "Auth:ClientLocked"},
	access.CodeIPNotAllowed:         {403, "Auth:IpNotAllowed"},
	access.CodeAddressDenied:        {403, "Common:Forbidden"},
	access.CodeNotHeld:              {403, "Common:Forbidden"},
	access.CodeSandboxPermission:    {422, "System:SandboxPermissionNotAllowed"},
	access.CodeInvalidGrant:         {401, "Auth:InvalidGrant"},
	access.CodeInvalidScope:         {400, "Auth:InvalidScope"},
	access.CodeUnsupportedGrant:     {400, "Auth:UnsupportedGrantType"},
	access.CodeTenantNotFound:       {404, "System:TenantNotFound"},
	access.CodeTenantTaken:          {409, "System:TenantAlreadyExists"},
	access.CodeClientNotFound:       {404, "System:ClientNotFound"},
	access.CodeConsentNotFound:      {404, "Auth:ConsentNotFound"},
	access.CodeCardholderNotFound:   {404, "Auth:CardholderNotFound"},
	access.CodeRedirectUnproven:     {400, "Auth:RedirectUnproven"},
	access.CodeConsentRequestEnded:  {404, "Auth:ConsentRequestEnded"},
	access.CodeSessionEnded:         {401, "Auth:SessionEnded"},
	access.CodeTokenEnded:           {401, "Auth:TokenEnded"},
	access.CodeSignIn:               {401, "Auth:SignInRefused"},
	access.CodeSignInCode:           {401, "Auth:SignInCodeRefused"},
	access.CodeUserNotFound:         {404, "System:UserNotFound"},
	access.CodeUserTaken:            {409, "System:UserAlreadyExists"},
	access.CodeConcurrency:          {409, "Common:ConcurrencyConflict"},
	access.CodeIdempotencyReused:    {409, "Common:IdempotencyKeyReused"},
	access.CodeIdempotencyNotKept:   {409, "Common:IdempotencyKeyReused"},
	access.CodeIdempotencyMalformed: {400, "Common:ValidationError"},
	access.CodeInProgress:           {409, "Common:RequestInProgress"},
	access.CodeAdvancing:            {409, "Sandbox:TimeMoving"},

	// vault
	vault.CodeKeyNotFound:            {404, "Issuing:EncryptionKeyNotFound"},
	vault.CodeEncryptionKeyNotFound:  {422, "Issuing:EncryptionKeyNotFound"},
	vault.CodeEncryptionKeyExpired:   {422, "Issuing:EncryptionKeyExpired"},
	vault.CodeClientKeyNotRegistered: {422, "Issuing:ClientKeyNotRegistered"},
	vault.CodeTooManyKeys:            {429, "Issuing:KeyExchangeLimitExceeded"},
	vault.CodeHSMUnavailable:         {502, "Integration:HsmUnavailable"},

	// issuing: configuration and customers
	"bin_not_found":                     {404, "Issuing:BinNotFound"},
	"bin_already_exists":                {409, "Issuing:BinAlreadyExists"},
	"bin_taken":                         {409, "Issuing:BinAlreadyExists"},
	"bin_in_use":                        {409, "Issuing:BinInUse"},
	"bin_range_not_found":               {404, "Issuing:BinRangeNotFound"},
	"bin_range_already_exists":          {409, "Issuing:BinRangeAlreadyExists"},
	"bin_range_overlap":                 {409, "Issuing:BinRangeOverlap"},
	"bin_range_shrink_not_allowed":      {422, "Issuing:BinRangeShrinkNotAllowed"},
	"bin_range_exhausted":               {422, "Issuing:BinRangeExhausted"},
	"bin_range_passive":                 {422, "Issuing:BinRangePassive"},
	"product_group_not_found":           {404, "Issuing:ProductGroupNotFound"},
	"product_group_passive":             {422, "Issuing:ProductGroupPassive"},
	"product_group_already_exists":      {409, "Issuing:ProductGroupAlreadyExists"},
	"product_group_in_use":              {409, "Issuing:ProductGroupInUse"},
	"card_art_not_found":                {404, "Issuing:CardArtNotFound"},
	"card_art_already_exists":           {409, "Issuing:CardArtAlreadyExists"},
	"card_art_in_use":                   {409, "Issuing:CardArtInUse"},
	"product_not_found":                 {404, "Issuing:ProductNotFound"},
	"product_already_exists":            {409, "Issuing:ProductAlreadyExists"},
	"product_in_use":                    {409, "Issuing:ProductInUse"},
	"product_card_type_mismatch":        {422, "Issuing:ProductCardTypeMismatch"},
	"product_currency_fixed":            {422, "Issuing:ProductCurrencyFixed"},
	"product_bin_range_fixed":           {422, "Issuing:ProductBinRangeFixed"},
	"invalid_service_code":              {400, "Issuing:InvalidServiceCode"},
	"contactless_limit_above_cap":       {422, "Issuing:ContactlessLimitAboveCap"},
	"issuing_attribute_not_found":       {404, "Issuing:IssuingAttributeNotFound"},
	"issuing_attribute_already_exists":  {409, "Issuing:IssuingAttributeAlreadyExists"},
	"tenant_currency_fixed":             {422, "System:TenantCurrencyFixed"},
	"billing_currency_not_allowed":      {422, "Issuing:BillingCurrencyNotAllowed"},
	"billing_currency_in_use":           {422, "System:BillingCurrencyInUse"},
	"currency_conversion_not_available": {422, "System:CurrencyConversionNotAvailable"},
	"exchange_rate_not_found":           {404, "System:ExchangeRateNotFound"},
	"exchange_rate_already_exists":      {409, "System:ExchangeRateAlreadyExists"},
	"sandbox_only":                      {422, "Common:ClearSensitiveDataNotAllowed"},
	"customer_not_found":                {404, "Issuing:CustomerNotFound"},
	"customer_already_exists":           {409, "Issuing:CustomerAlreadyExists"},
	"customer_identity_conflict":        {409, "Issuing:CustomerIdentityConflict"},
	"invalid_identification_no":         {400, "Issuing:InvalidIdentificationNo"},
	"segment_unknown":                   {422, "Issuing:SegmentNotFound"},
	"segment_passive":                   {422, "Issuing:SegmentNotFound"},
	"segment_not_found":                 {404, "Issuing:SegmentNotFound"},
	"segment_already_exists":            {409, "Issuing:SegmentAlreadyExists"},
	"segment_in_use":                    {409, "Issuing:SegmentInUse"},
	"customer_has_open_cards":           {422, "Issuing:CustomerHasOpenCards"},
	"customer_closed":                   {409, "Issuing:CustomerClosed"},
	"kyc_downgrade_needs_reason":        {422, "Issuing:KycDowngradeNeedsReason"},

	// issuing: cards
	"card_not_found":                     {404, "Issuing:CardNotFound"},
	"card_status_transition_not_allowed": {409, "Issuing:CardStatusTransitionNotAllowed"},
	"card_status_reason_mismatch":        {400, "Issuing:CardStatusReasonMismatch"},
	"activation_condition_not_met":       {422, "Issuing:ActivationConditionNotMet"},
	"card_status_not_suitable":           {409, "Issuing:CardStatusNotSuitable"},
	"customer_inactive":                  {422, "Issuing:CustomerInactive"},
	"customer_type_not_allowed":          {422, "Issuing:CustomerTypeNotAllowed"},
	"product_passive":                    {422, "Issuing:ProductPassive"},
	"form_factor_not_allowed":            {422, "Issuing:FormFactorNotAllowed"},
	"max_card_count_exceeded":            {422, "Issuing:MaxCardCountExceeded"},
	"max_child_card_count_exceeded":      {422, "Issuing:MaxChildCardCountExceeded"},
	"max_virtual_card_count_exceeded":    {422, "Issuing:MaxVirtualCardCountExceeded"},
	"parent_card_invalid":                {422, "Issuing:ParentCardInvalid"},
	"age_requirement_not_met":            {422, "Issuing:AgeRequirementNotMet"},
	"kyc_level_insufficient":             {422, "Issuing:KycLevelInsufficient"},
	"delivery_address_required":          {400, "Issuing:DeliveryAddressRequired"},
	"invalid_emboss_name":                {400, "Issuing:InvalidEmbossName"},
	"physical_not_allowed":               {422, "Issuing:PhysicalNotAllowed"},
	"policy_locked_by_product":           {422, "Issuing:PolicyLockedByProduct"},
	"external_card_id_already_exists":    {409, "Issuing:ExternalCardIdAlreadyExists"},
	"expiry_not_allowed":                 {422, "Issuing:ExpiryNotAllowed"},
	"account_kind_mismatch":              {409, "Issuing:AccountKindMismatch"},
	"account_no_not_allowed":             {422, "Issuing:AccountNoNotAllowed"},
	"cvv2_blocked":                       {423, "Issuing:Cvv2Blocked"},
	"cvv2_view_limit_exceeded":           {429, "Common:TooManyRequests"},
	"pin_blocked":                        {423, "Issuing:PinBlocked"},
	"pin_invalid":                        {422, "Issuing:PinInvalid"},
	"pin_not_set":                        {422, "Issuing:PinNotSet"},
	"pin_delivery_not_allowed":           {422, "Issuing:PinDeliveryNotAllowed"},
	"sms_limit_exceeded":                 {429, "Issuing:SmsLimitExceeded"},
	"phone_change_cooling_period":        {422, "Issuing:PhoneChangeCoolingPeriod"},
	"phone_number_missing":               {422, "Issuing:PhoneNumberMissing"},
	"weak_pin":                           {422, "Issuing:WeakPin"},
	"invalid_pin_block":                  {400, "Issuing:InvalidPinBlock"},
	"pin_length_invalid":                 {400, "Issuing:PinLengthInvalid"},
	"decryption_failed":                  {400, "Issuing:DecryptionFailed"},
	"clear_sensitive_data_not_allowed":   {422, "Common:ClearSensitiveDataNotAllowed"},

	// issuing: what is kept of a card
	"parent_policy_exceeded":       {422, "Issuing:ParentPolicyExceeded"},
	"renewal_in_progress":          {409, "Issuing:RenewalInProgress"},
	"renewal_not_allowed":          {422, "Issuing:RenewalNotAllowed"},
	"keep_card_number_not_allowed": {400, "Issuing:KeepCardNumberNotAllowed"},
	"card_has_no_physical":         {422, "Issuing:CardHasNoPhysical"},
	"detokenize_quota_exceeded":    {429, "Issuing:DetokenizeQuotaExceeded"},
	"number_search_limit_exceeded": {429, "Issuing:NumberSearchLimitExceeded"},

	// personalization
	personalization.CodeTransition:    {409, "Issuing:PlasticTransitionNotAllowed"},
	personalization.CodeOrderNotFound: {404, "Issuing:PersoOrderNotFound"},
	personalization.CodeBatchNotFound: {404, "Issuing:PersoBatchNotFound"},
	personalization.CodeReport:        {422, "Issuing:PersoReportInvalid"},

	// issuing: noname cards
	"noname_batch_not_found":              {404, "Issuing:NonameBatchNotFound"},
	"card_not_noname":                     {422, "Issuing:CardNotNoname"},
	"card_already_linked":                 {409, "Issuing:CardAlreadyLinked"},
	"card_not_linked":                     {409, "Issuing:CardNotLinked"},
	"card_verification_failed":            {422, "Issuing:CardVerificationFailed"},
	"link_blocked_by_balance":             {422, "Issuing:LinkBlockedByBalance"},
	"unlink_blocked_by_open_transactions": {422, "Issuing:UnlinkBlockedByOpenTransactions"},
	"unlink_blocked_by_balance":           {422, "Issuing:UnlinkBlockedByBalance"},
	"unlink_blocked_by_child_cards":       {422, "Issuing:UnlinkBlockedByChildCards"},

	// control
	"invalid_rule":                       {400, "Issuing:InvalidRule"},
	"named_list_not_found":               {404, "Issuing:NamedListNotFound"},
	"named_list_already_exists":          {409, "Issuing:NamedListAlreadyExists"},
	"named_list_in_use":                  {409, "Issuing:NamedListInUse"},
	"named_list_type_fixed":              {422, "Issuing:NamedListTypeFixed"},
	"control_link_not_found":             {404, "Issuing:LinkNotFound"},
	"link_target_not_found":              {422, "Issuing:LinkTargetNotFound"},
	"velocity_check_not_found":           {404, "Issuing:VelocityCheckNotFound"},
	"velocity_check_already_exists":      {409, "Issuing:VelocityCheckAlreadyExists"},
	"velocity_check_in_use":              {409, "Issuing:VelocityCheckInUse"},
	"velocity_limit_missing":             {400, "Issuing:VelocityLimitMissing"},
	"limit_group_disagrees":              {422, "Issuing:LimitGroupMismatch"},
	"velocity_override_not_found":        {404, "Issuing:VelocityOverrideNotFound"},
	"velocity_override_not_allowed":      {422, "Issuing:VelocityOverrideNotAllowed"},
	"velocity_override_out_of_bounds":    {422, "Issuing:VelocityOverrideOutOfBounds"},
	"authorization_check_not_found":      {404, "Issuing:AuthorizationCheckNotFound"},
	"authorization_check_already_exists": {409, "Issuing:AuthorizationCheckAlreadyExists"},
	"authorization_check_in_use":         {409, "Issuing:AuthorizationCheckInUse"},

	// fee
	"fee_not_found":         {404, "Issuing:FeeNotFound"},
	"fee_already_exists":    {409, "Issuing:FeeAlreadyExists"},
	"fee_in_use":            {409, "Issuing:FeeInUse"},
	"fee_tier_invalid":      {422, "Issuing:FeeTierInvalid"},
	"fee_currency_mismatch": {422, "Issuing:FeeCurrencyMismatch"},

	// ledger
	ledger.AccountNotFound:  {404, "Issuing:AccountNotFound"},
	ledger.AccountNoTaken:   {409, "Issuing:AccountNoAlreadyUsed"},
	ledger.CurrencyMismatch: {422, "Issuing:AccountCurrencyMismatch"},
	ledger.Overdraw:         {422, "Issuing:InsufficientFunds"},
	ledger.ReferenceReused:  {409, "Issuing:ExternalReferenceReused"},
	ledger.InvalidAmount:    {422, "Issuing:InvalidAmount"},
	ledger.InvalidTerms:     {422, "Credit:InvalidTerms"},
	ledger.TermsInUse:       {409, "Credit:TermsInUse"},
	ledger.TermsMissing:     {422, "Credit:TermsNotFound"},
	ledger.NotACreditLine:   {422, "Credit:NotACreditAccount"},

	// authorization
	authorization.TransactionNotFound: {404, "Issuing:TransactionNotFound"},
	authorization.TransactionInUse:    {409, "Sandbox:TransactionInUse"},
	"replay_not_found":                {404, "Issuing:ReplayNotFound"},
	"replay_period_invalid":           {400, "Issuing:ReplayPeriodInvalid"},
	"replay_limit_exceeded":           {429, "Issuing:ReplayLimitExceeded"},

	// the tester of the sandboxes
	ErrLinkUnavailable.Code: {502, "Sandbox:LinkUnavailable"},
	ErrNoAnswer.Code:        {504, "Sandbox:NoAnswer"},
	ErrNoExchangeRate.Code:  {422, "Sandbox:ExchangeRateNotFound"},
	ErrChipUsedUp.Code:      {422, "Sandbox:ChipUsedUp"},
	ErrAlreadyCleared.Code:  {422, "Sandbox:AlreadyCleared"},
	ErrNotReversible.Code:   {422, "Sandbox:NotReversible"},
	ErrRefundExceeds.Code:   {422, "Sandbox:RefundExceedsOriginal"},

	// webhook
	webhook.CodeNotFound:         {404, "Issuing:WebHookNotFound"},
	webhook.CodeDeliveryNotFound: {404, "Issuing:WebHookDeliveryNotFound"},
	webhook.CodeTooMany:          {422, "Issuing:WebHookLimitExceeded"},
	webhook.CodeConflict:         {409, "Issuing:WebHookConflict"},
	webhook.CodeMessageSent:      {409, "Issuing:WebHookMessageSent"},
}

// domainCodes lists the codes that refusals must know.
var domainCodes = [][]fault.Code{api.Codes, access.Codes, vault.Codes, customer.Codes, program.Codes, issuing.Codes, personalization.Codes, control.Codes, fee.Codes, ledger.Codes, authorization.Codes, testerCodes, webhook.Codes}

// kinds is for a code that no row names: only its kind speaks.
var kinds = map[fault.Kind]outward{
	fault.Internal:        {500, "Common:InternalError"},
	fault.Invalid:         {400, "Common:ValidationError"},
	fault.Unauthenticated: {401, "Common:Unauthenticated"},
	fault.Forbidden:       {403, "Common:Forbidden"},
	fault.NotFound:        {404, "Common:NotFound"},
	fault.Conflict:        {409, "Common:Conflict"},
	fault.Refused:         {422, "Common:BusinessRule"},
	fault.Exhausted:       {423, "Common:Exhausted"},
	fault.Throttled:       {429, "Common:TooManyRequests"},
	fault.Unavailable:     {502, "Integration:Unavailable"},
}

// remoteServiceErrorResponse is the shape of every error (contract/platform.md §1.5).
type remoteServiceErrorResponse struct {
	Error remoteServiceErrorDetails `json:"error"`
}

type remoteServiceErrorDetails struct {
	Code             string                         `json:"code"`
	Message          string                         `json:"message" doc:"For people, in the language of Accept-Language."`
	Details          *string                        `json:"details"`
	Data             map[string]any                 `json:"data" doc:"The values the message speaks of."`
	ValidationErrors []remoteServiceValidationError `json:"validationErrors" nullable:"true"`
}

type remoteServiceValidationError struct {
	Message string   `json:"message" doc:"For people, in the language of Accept-Language: the member, and what is wrong with it."`
	Members []string `json:"members" doc:"Dotted paths."`
}

// refuse answers a request with an error.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := api.ExchangeOf(r.Context())
	out := newAnswer()
	out.err = err
	out.fault = writeError(out, x.Language, err)
	out.writeTo(w, x)
}

// writeError writes err in this family's shape and returns its code.
func writeError(w http.ResponseWriter, language string, err error) fault.Code {
	f := faultOf(err)
	o := outwardOf(f)
	body := remoteServiceErrorResponse{Error: remoteServiceErrorDetails{Code: o.code, Message: messageOf(language, f), Data: f.Params}}
	for _, v := range f.Fields {
		body.Error.ValidationErrors = append(body.Error.ValidationErrors, remoteServiceValidationError{
			Message: "'" + v.Name + "' " + phraseOf(language, v), Members: []string{v.Name},
		})
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	switch o.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter(f)))
	}
	w.WriteHeader(o.status)
	_ = marshal(w, body) // into memory
	return f.Code
}

// faultOf returns the fault in err; whatever is none is our own mistake, of
// which the caller learns nothing.
func faultOf(err error) *fault.Error {
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
		return f
	}
	return fault.New(fault.Internal, api.CodeInternal, "something went wrong on our side")
}

func outwardOf(f *fault.Error) outward {
	if o, ok := refusals[f.Code]; ok {
		return o
	}
	return kinds[f.Kind]
}

// messageOf finds the words for people: the code's own, else English text of
// the fault, else what its kind says.
func messageOf(language string, f *fault.Error) string {
	if text, ok := locale.Text(language, "fault."+string(f.Code), f.Params); ok {
		return text
	}
	if language == "en" && f.Text != "" {
		return f.Text
	}
	text, _ := locale.Text(language, f.Kind.String(), f.Params)
	return text
}

// phraseOf says what is wrong with a member. A text that has no Turkish, which a
// test rules out for our own, says in Turkish no more than that it is wrong.
func phraseOf(language string, v fault.Field) string {
	if text, ok := locale.Phrase(language, v.Text); ok {
		return text
	}
	text, _ := locale.Phrase(language, "is not valid")
	return text
}

// retryAfter is the number of seconds a fault asks its caller to wait.
func retryAfter(f *fault.Error) int {
	if n, ok := f.Params["retryAfterSeconds"].(int); ok {
		return n
	}
	return 1
}

func (a *API) errorResponse() *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[remoteServiceErrorResponse](), true, "Error")
	return &huma.Response{
		Description: "Error",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}

// oauthError maps a refusal to RFC 6749, 5.2, which knows no locked client.
func oauthError(err error) (status int, code, description string) {
	f := faultOf(err)
	switch f.Code {
	case access.CodeInvalidClient, access.CodeClientLocked:
		return http.StatusUnauthorized, "invalid_client", "the client cannot be authenticated"
	case access.CodeIPNotAllowed:
		return http.StatusBadRequest, "unauthorized_client", f.Text
	case api.CodeTooManyRequests:
		return http.StatusTooManyRequests, "temporarily_unavailable", f.Text
	case access.CodeInvalidGrant:
		return http.StatusBadRequest, "invalid_grant", f.Text
	case access.CodeInvalidScope:
		return http.StatusBadRequest, "invalid_scope", f.Text
	case access.CodeUnsupportedGrant:
		return http.StatusBadRequest, "unsupported_grant_type", f.Text
	}
	if f.Kind == fault.Internal {
		return http.StatusInternalServerError, "server_error", f.Text
	}
	return http.StatusBadRequest, "invalid_request", f.Text
}
