// Package notification tells customers what happened to them and to their cards,
// by SMS and e-mail.
//
// # Nouns
//
// A domain writes a [Notice] in the transaction of what it tells of: which event,
// about whom, no texts and no addresses. A worker asks who is to be told
// ([Recipients]), chooses channels and texts, and makes of it a [Message] for
// each channel. A second worker hands messages of production tenants to the
// [Gateway] of the channel. Messages of sandbox tenants go to no gateway: they
// lie in an inbox that the tenant's testers read. A tenant that sends messages
// itself gets them at its own address ([Hooks]).
//
// A PIN message is made by the HSM and by nobody else: what is kept and sent of
// it is ciphertext for the gateway.
//
// # States
//
//	message:  Waiting → Sent
//	          Waiting → Dead (retries used up, or nobody to give it to)
//	          Dead → Waiting (an operator has it tried again)
//	          Dead → Sent (by its hook, to which it was delivered again)
//	          Inbox (of a sandbox; final)
//
// # Invariants
//
//   - Address and text lie sealed, and are erased once a message is sent; those
//     of a PIN message also when it is given up.
//   - What is about security (PIN, status, phone) is told whatever the customer
//     has opted out of; everything else only with consent.
//   - No transaction is open while a gateway is waited for.
//   - A clear PIN never comes here.
package notification
