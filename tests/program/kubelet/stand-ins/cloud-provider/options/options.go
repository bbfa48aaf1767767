// Package options stands for a package of which the kubelet's configuration needs this port alone, at the cost of the
// whole API server.
package options

const CloudControllerManagerWebhookPort = 10260
