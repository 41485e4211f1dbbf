// Package config reads how the program shall run, from four places of which
// a later one wins: the defaults, a file, the environment, the command line.
//
// A setting has one name in all of them: the key network.addr is written
// "network: {addr: …}" in the file, SARRAF_NETWORK_ADDR in the environment and
// --network-addr on the command line. Secrets are never settings; a setting
// names the file that holds one. The address of a PostgreSQL server may carry
// a password: it is hidden wherever settings are shown.
//
// Decoding is strict: a key that does not exist is an error that names the
// nearest one that does. No other package reads the environment.
package config
