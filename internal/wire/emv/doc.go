// Package emv reads and writes the chip data of payment messages: BER-TLV as
// EMV Book 3, Annex B uses it, the tags of field 55, and issuer scripts.
//
// It computes no cryptogram and judges no value. What a card and a terminal
// say is decoded into an [ICC]; what the issuer answers is built from an
// [Answer]. An ICC has no part for tags that hold the card number or track data.
//
// No error quotes a byte.
package emv
