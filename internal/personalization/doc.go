// Package personalization has plastics made and brought: it orders cards from
// the bureau in files, and takes in what bureaus and couriers tell of them.
//
// # Nouns
//
//	Bureau 1─* Batch 1─* Order *─1 Card (of issuing)
//	Card 1─0..1 Production, 0..1 Shipment, *─ Event
//
// A bureau is a code on a product's plastic and a transport key that a tenant
// shares with it. A [Batch] is one file; an order in it stands for one plastic
// for ever. [Production] and [Shipment] are what is known beside the two
// statuses, which are the card's and belong to issuing.
//
// # States
//
//	batch:  Queued → Written → Sent        nothing left of it: Queued → Empty
//
//	production:  Requested → Queued → FileSent → InProduction → Produced → HandedToCourier
//	             Requested, Queued → Cancelled
//	             any → Failed → Requested
//
//	shipment:  NotApplicable → PrintRequested → AtCourier → InTransfer (→ AtBranch) → OutForDelivery
//	           OutForDelivery → Delivered | DeliveryFailed
//	           DeliveryFailed → OutForDelivery | ReturnedToSender
//	           ReturnedToSender → Destroyed | AtCourier
//	           NotApplicable, PrintRequested → Cancelled
//
// # How a file is made
//
// A transaction takes the plastics into a batch. Outside any transaction the
// file is made and lies on the disk, where nobody looks. A second transaction
// says that its cards are sent, if all of them still are to be; only then is it
// moved to where the bureau takes it. Whatever is killed when, a plastic stands
// in one file that the bureau gets, and in no other.
//
// # Invariants
//
//   - A plastic is in one batch that was not given up, and the file has exactly
//     the plastics that are FileSent by it.
//   - An event counts once for its sender. One that happened before the last
//     that counted is kept and moves nothing.
//   - The two machines above are never left, whatever comes in whatever order.
//   - Number, card values, tracks, keys and PIN pass from the HSM into the file
//     encrypted for the bureau, and are nowhere else.
package personalization
