# SPDX-License-Identifier: Apache-2.0
@{
    RootModule           = 'CrlAgent.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = 'b7c1a6f2-4f6e-4f39-9a0e-0f5b6f1a7d52'
    Author               = 'The crlagent authors'
    Copyright            = 'Copyright the crlagent authors. Apache-2.0.'
    Description          = 'Cmdlets over the crlagent command line: objects instead of text.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport    = @(
        'Get-CrlAgentStatus', 'Get-CrlAgentMaintenance', 'Get-CrlAgentHistory', 'Get-CrlAgentCrl', 'Compare-CrlAgentCrl',
        'Test-CrlAgentCrl', 'Test-CrlAgentCdp', 'Test-CrlAgentSetup', 'Export-CrlAgentReport', 'Publish-CrlAgentCrl', 'Suspend-CrlAgentCa',
        'Resume-CrlAgentCa', 'Stop-CrlAgentMaintenance', 'Set-CrlAgentDeadline'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{ PSData = @{ Tags = @('PKI', 'ADCS', 'CRL', 'HSM') } }
}
