// Package logs stands for a package of which the kubelet's types need these formats alone, at the cost of gRPC.
package logs

const (
	RFC3339NanoFixed   = "2006-01-02T15:04:05.000000000Z07:00"
	RFC3339NanoLenient = "2006-01-02T15:04:05.999999999Z07:00"
)
