Scalar.createApiReference('#app', {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never', // they share with a service outside
  agent: { disabled: true },
  mcp: { disabled: true },
})
