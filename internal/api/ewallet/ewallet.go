package ewallet

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// API is the family. It is safe for concurrent use.
type API struct {
	access  *access.Service
	wallets *wallet.Service
	clients *api.Limiter
	clock   clock.Clock
}

// New returns the family.
func New(a *access.Service, w *wallet.Service, c clock.Clock) *API {
	return &API{access: a, wallets: w, clients: api.NewLimiter(c), clock: c}
}

// Family is how the router takes it.
func (a *API) Family() api.Family {
	return api.Family{Mount: a.mount, Refuse: a.refuse, Owns: owns}
}

// prefix is where the paths begin, in any letter case.
const prefix = "/v1/"

func owns(path string) bool {
	return len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix)
}

func (a *API) mount(r chi.Router) {
	for _, act := range a.routes() {
		r.Method(act.method, inAnyCase(act.path), a.serve(act))
	}
	r.Get(documentPath, document)
}

// documentPath is where the document of the family is, as it stands.
const documentPath = "/openapi/ewallet.yaml"

//go:embed openapi.yaml
var openAPI []byte

func document(w http.ResponseWriter, r *http.Request) {
	api.ExchangeOf(r.Context()).Route = documentPath
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // the client may be gone
}

// inAnyCase is a pattern of paths that are one path in any letter case.
func inAnyCase(path string) string {
	var pattern strings.Builder
	for i, part := range strings.Split(path[1:], "/") {
		fmt.Fprintf(&pattern, "/{part%d:(?i)%s}", i, regexp.QuoteMeta(part))
	}
	return pattern.String()
}

// action is one operation: a path, and what reads, asks and answers.
type action struct {
	method, path string
	run          func(ctx context.Context, c access.Caller, in *fields) (answer, error)
}

// routes is the surface of the family.
func (a *API) routes() []action {
	personal, business := wallet.Personal, wallet.Business
	return []action{
		{http.MethodPost, "/v1/Account/RegisterPersonalAccount", a.registerPersonal},
		{http.MethodPost, "/v1/Account/RegisterBusinessAccount", a.registerBusiness},
		{http.MethodPost, "/v1/Account/SubmitKYCForm", a.submitKYC(personal)},
		{http.MethodPost, "/v1/Account/BusinessAccountSubmitKYCForm", a.submitKYC(business)},
		{http.MethodPost, "/v1/Account/UpgradePersonalAccountKycLevelToContracted", a.contract(personal)},
		{http.MethodPost, "/v1/Account/UpgradeBusinessAccountKycLevelToContracted", a.contract(business)},
		{http.MethodPost, "/v1/Wallet/Info", a.showWallet},
		{http.MethodPost, "/v1/Wallet/ListByFilter", a.listWallets("")},
		{http.MethodPost, "/v1/Wallet/CreateWalletForPersonalAccount", a.openWallet(personal)},
		{http.MethodPost, "/v1/Wallet/CreateWalletForBusinessAccount", a.openWallet(business)},
		{http.MethodPost, "/v1/Account/GetPersonalAccount", a.showAccount(personal)},
		{http.MethodPost, "/v1/Account/GetBusinessAccount", a.showAccount(business)},
		{http.MethodPost, "/v1/Account/UpdatePersonalAccount", a.updatePersonal},
		{http.MethodPost, "/v1/Account/UpdateBusinessAccount", a.updateBusiness},
		{http.MethodPost, "/v1/Account/GetKYCDetail", a.showKYC},
		{http.MethodPost, "/v1/Account/CheckPersonalWallet", a.checkPersonal},
		{http.MethodPost, "/v1/Account/CheckBusinessWallet", a.checkBusiness},
		{http.MethodPost, "/v1/Account/PersonalListByFilter", a.listWallets(personal)},
		{http.MethodPost, "/v1/Account/BusinessListByFilter", a.listWallets(business)},
		{http.MethodPost, "/v1/Transaction/WithdrawalStatus", a.showWithdrawal(withdrawalByID)},
		{http.MethodGet, "/v1/Transaction/GetPaymentTypes", a.paymentTypes},
		{http.MethodPost, "/v1/TransactionData/SummaryRecordByFilter", a.history},
		{http.MethodPost, "/v1/TransactionData/TransactionReceipt", a.showTransaction},
		{http.MethodPost, "/v1/TransactionData/FinancialAcquiredRecordListByFilter", a.settlements},
		{http.MethodPost, "/v1/TransactionData/GetRequestWithdrawByExtId", a.showWithdrawal(withdrawalByKey)},
		{http.MethodPost, "/v1/TransactionData/GetRequestWithdrawListByFilter", a.listWithdrawals},
		{http.MethodGet, "/v1/StaticData/GetCountryList", a.countries},
		{http.MethodGet, "/v1/StaticData/GetJobList", a.numbered("ewallet.job.")},
		{http.MethodGet, "/v1/StaticData/GetProvinceCityList", a.numbered("ewallet.province.")},
		{http.MethodPost, "/v1/Transaction/TopupCreditCard", a.topUpByCard},
		{http.MethodPost, "/v1/Transaction/TopupCash", a.topUpByBank},
		{http.MethodPost, "/v1/Transaction/PersonalToPersonalTransfer", a.transfer(wallet.Parties{From: personal, To: personal})},
		{http.MethodPost, "/v1/Transaction/PersonalToBusinessTransfer", a.transfer(wallet.Parties{From: personal, To: business})},
		{http.MethodPost, "/v1/Transaction/BusinessToPersonalTransfer", a.transfer(wallet.Parties{From: business, To: personal})},
		{http.MethodPost, "/v1/Transaction/BusinessToBusinessTransfer", a.transfer(wallet.Parties{From: business, To: business})},
		{http.MethodPost, "/v1/Transaction/TransferToVirement", a.transfer(wallet.Parties{Own: true})},
		{http.MethodPost, "/v1/Transaction/CashBack", a.cashBack},
		{http.MethodPost, "/v1/Transaction/CashBackCredit", a.cashBack},
		{http.MethodPost, "/v1/Transaction/Payment", a.pay},
		{http.MethodPost, "/v1/Transaction/CreateQRPayment", a.makeQR(wallet.Payment, "ext_order_id")},
		{http.MethodPost, "/v1/Transaction/ReadQRPayment", a.readQR(wallet.Payment)},
		{http.MethodPost, "/v1/Transaction/ApproveQRPayment", a.approveQR(wallet.Payment)},
		{http.MethodPost, "/v1/Transaction/CheckQRPaymentStatus", a.checkQR(wallet.Payment)},
		{http.MethodPost, "/v1/Transaction/CreateQRPersonalToPersonalTransfer", a.makeQR(wallet.Transfer, "ext_transaction_id")},
		{http.MethodPost, "/v1/Transaction/ReadQRPersonalToPersonalTransfer", a.readQR(wallet.Transfer)},
		{http.MethodPost, "/v1/Transaction/ApproveQRPersonalToPersonalTransfer", a.approveQR(wallet.Transfer)},
		{http.MethodPost, "/v1/Transaction/CheckQRPersonalToPersonalTransfer", a.checkQR(wallet.Transfer)},
		{http.MethodPost, "/v1/Transaction/RefundPaymentInstant", a.refund},
		{http.MethodPost, "/v1/Transaction/RefundPayment", a.refundWhole},
		{http.MethodPost, "/v1/Transaction/WithdrawalToBank", a.withdraw},
		{http.MethodPost, "/v1/Transaction/WithdrawalToBankInstant", a.withdraw},
		{http.MethodPost, "/v1/Transaction/SendMoneyToBankAccount", a.sendToBank},
	}
}

// serve answers the requests of an action.
func (a *API) serve(act action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := api.ExchangeOf(r.Context())
		x.Route = act.path
		if l := r.Header.Get("locale"); strings.HasPrefix(strings.ToLower(l), "en") || strings.HasPrefix(strings.ToLower(l), "tr") {
			x.Language = strings.ToLower(l[:2])
		}
		out, err := a.carry(w, r, act)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		writeDone(w, x.Language, out)
	}
}

// carry finds out who asks and for what, and does it.
func (a *API) carry(w http.ResponseWriter, r *http.Request, act action) (answer, error) {
	c, err := a.admit(r)
	if err != nil {
		return answer{}, err
	}
	in := &fields{}
	if act.method == http.MethodPost {
		body, err := api.ReadBody(w, r, "application/json", 0)
		if err != nil {
			return answer{}, err
		}
		if in, err = parseFields(body); err != nil {
			return answer{}, err
		}
	}
	return act.run(r.Context(), c, in)
}
