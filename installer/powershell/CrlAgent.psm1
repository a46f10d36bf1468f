# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
# A thin layer over crlagent.exe: every function builds one command line, runs it, and turns its JSON document into an
# object. Nothing is decided here. The exit code is in the property ExitCode of every object (docs/exit-codes.md).
Set-StrictMode -Version 2.0

# The program: beside the module's installation, or CRLAGENT_EXE for a portable one.
function Get-ProgramPath {
    if ($env:CRLAGENT_EXE) { return $env:CRLAGENT_EXE }
    return (Join-Path $env:ProgramFiles 'crlagent\crlagent.exe')
}

# One argument as CommandLineToArgvW reads it back: Windows PowerShell 5.1 quotes wrongly by itself.
function ConvertTo-Argument([string]$Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    $quoted = [regex]::Replace($Text, '(\\*)"', '$1$1\"')
    $quoted = [regex]::Replace($quoted, '(\\+)$', '$1$1')
    return '"' + $quoted + '"'
}

# Runs crlagent. Progress (standard error) goes to the verbose stream, or into the error when the call fails.
function Invoke-Program([string[]]$Arguments) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = Get-ProgramPath
    $start.Arguments = (@($Arguments | ForEach-Object { ConvertTo-Argument $_ }) -join ' ')
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = New-Object System.Text.UTF8Encoding($false)
    $start.StandardErrorEncoding = New-Object System.Text.UTF8Encoding($false)
    $process = [System.Diagnostics.Process]::Start($start)
    try {
        # Both pipes are read at once: a full one would stop the program.
        $messages = $process.StandardError.ReadToEndAsync()
        $output = $process.StandardOutput.ReadToEnd()
        $process.WaitForExit()
        return @{ Output = $output; Messages = $messages.Result.Trim(); ExitCode = $process.ExitCode }
    } finally {
        $process.Dispose()
    }
}

# The JSON answer as an object. Without a document the call has failed: an error with the program's own words.
function Get-Answer([string[]]$Arguments) {
    $run = Invoke-Program $Arguments
    if ($run.Messages) { Write-Verbose $run.Messages }
    $answer = $null
    if ($run.Output.Trim()) {
        try { $answer = ConvertFrom-Json -InputObject $run.Output } catch { $answer = $null }
    }
    if ($null -eq $answer) {
        $text = $run.Messages
        if (-not $text) { $text = "crlagent ended with exit code $($run.ExitCode) and no answer" }
        $exception = New-Object System.InvalidOperationException($text)
        $record = New-Object System.Management.Automation.ErrorRecord($exception, "CrlAgent.$($run.ExitCode)",
            [System.Management.Automation.ErrorCategory]::InvalidOperation, ($Arguments -join ' '))
        throw $record
    }
    Add-Member -InputObject $answer -MemberType NoteProperty -Name ExitCode -Value $run.ExitCode -Force
    return $answer
}

# '--name value' for those parameters that were given. $Names maps parameter to option.
function Get-OptionList([System.Collections.IDictionary]$Bound, [System.Collections.IDictionary]$Names) {
    $list = @()
    foreach ($name in $Names.Keys) {
        if (-not $Bound.ContainsKey($name)) { continue }
        $value = $Bound[$name]
        if ($value -is [System.Management.Automation.SwitchParameter]) {
            if ($value.IsPresent) { $list += "--$($Names[$name])" }
        } else {
            foreach ($one in @($value)) { $list += "--$($Names[$name])", "$one" }
        }
    }
    return , $list
}

function Get-CrlAgentStatus {
    <#
    .SYNOPSIS
    Shows the runway, the CA and the maintenance that is open.
    .EXAMPLE
    Get-CrlAgentStatus | Select-Object runway, running
    #>
    [CmdletBinding()]
    param()
    Get-Answer @('status', '--json')
}

function Get-CrlAgentMaintenance {
    <#
    .SYNOPSIS
    Shows the open maintenance with its steps.
    .EXAMPLE
    (Get-CrlAgentMaintenance).steps
    #>
    [CmdletBinding()]
    param()
    Get-Answer @('maintenance', '--json')
}

function Get-CrlAgentHistory {
    <#
    .SYNOPSIS
    Lists former maintenances and who did what.
    .PARAMETER Limit
    Newest rows to show; 20 when left out.
    .EXAMPLE
    (Get-CrlAgentHistory -Limit 5).maintenances | Format-Table change, state
    #>
    [CmdletBinding()]
    param([ValidateRange(1, 1000)][int]$Limit)
    Get-Answer (@('history', '--json') + (Get-OptionList $PSBoundParameters @{ Limit = 'limit' }))
}

function Test-CrlAgentSetup {
    <#
    .SYNOPSIS
    Shows what the service needs, what is missing and what to type. ExitCode is 0, 1 warnings, 2 missing, 3 not known.
    .EXAMPLE
    (Test-CrlAgentSetup).lines | Where-Object state -eq 'missing' | Format-List text, fix
    #>
    [CmdletBinding()]
    param()
    Get-Answer @('doctor', '--json')
}

function Get-CrlAgentCrl {
    <#
    .SYNOPSIS
    Shows what a CRL says, of any size.
    .PARAMETER Path
    A file, or an http:// or ldap:// location.
    .PARAMETER Issuer
    CA certificates (PEM or DER files) that the signatures are checked with.
    .EXAMPLE
    (Get-CrlAgentCrl C:\pki\issuing.crl).number
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string]$Path, [string[]]$Issuer)
    process { Get-Answer (@('crl', 'show', '--json') + (Get-OptionList $PSBoundParameters @{ Issuer = 'issuer' }) + $Path) }
}

function Test-CrlAgentCrl {
    <#
    .SYNOPSIS
    Checks a CRL: signature, dates, form. ExitCode is 0 fine, 1 warning, 2 critical, 3 unreadable.
    .PARAMETER Path
    A file, or an http:// or ldap:// location.
    .PARAMETER Issuer
    CA certificates (PEM or DER files) that the signatures are checked with.
    .EXAMPLE
    Get-ChildItem C:\pki\*.crl | ForEach-Object { Test-CrlAgentCrl $_.FullName -Issuer C:\pki\ca.cer }
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string]$Path, [string[]]$Issuer)
    process { Get-Answer (@('crl', 'verify', '--json') + (Get-OptionList $PSBoundParameters @{ Issuer = 'issuer' }) + $Path) }
}

function Compare-CrlAgentCrl {
    <#
    .SYNOPSIS
    Compares two CRLs: vanished, added and changed entries.
    .PARAMETER ReferencePath
    The older CRL.
    .PARAMETER DifferencePath
    The newer CRL.
    .EXAMPLE
    Compare-CrlAgentCrl C:\pki\yesterday.crl C:\pki\today.crl
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$ReferencePath, [Parameter(Mandatory, Position = 1)][string]$DifferencePath)
    Get-Answer @('crl', 'diff', '--json', $ReferencePath, $DifferencePath)
}

function Test-CrlAgentCdp {
    <#
    .SYNOPSIS
    Probes CRL locations and reports their health. ExitCode is 0 OK, 1 warning, 2 critical, 3 unknown.
    .PARAMETER Url
    Locations to probe.
    .PARAMETER Certificate
    A certificate file whose CRL locations are probed.
    .PARAMETER Issuer
    CA certificates (PEM or DER files) that the signatures are checked with.
    .EXAMPLE
    (Test-CrlAgentCdp -Certificate C:\pki\web.cer).ExitCode
    #>
    [CmdletBinding()]
    param([string[]]$Url, [string[]]$Certificate, [string[]]$Issuer)
    $names = [ordered]@{ Url = 'url'; Certificate = 'cert'; Issuer = 'issuer' }
    Get-Answer (@('check', '--format', 'json') + (Get-OptionList $PSBoundParameters $names))
}

function Export-CrlAgentReport {
    <#
    .SYNOPSIS
    Probes CRL locations and writes a report file. Returns the file.
    .PARAMETER Path
    The file; it is written whole or not at all.
    .PARAMETER Format
    html, xml, json, text or metrics (for the textfile collector of windows_exporter).
    .PARAMETER Url
    Locations to probe.
    .PARAMETER Certificate
    A certificate file whose CRL locations are probed.
    .PARAMETER Issuer
    CA certificates (PEM or DER files) that the signatures are checked with.
    .EXAMPLE
    Export-CrlAgentReport C:\pki\crl.html -Certificate C:\pki\web.cer
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0)][string]$Path,
        [ValidateSet('html', 'xml', 'json', 'text', 'metrics')][string]$Format = 'html',
        [string[]]$Url, [string[]]$Certificate, [string[]]$Issuer
    )
    $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    if (-not $PSCmdlet.ShouldProcess($full, "write a $Format report")) { return }
    $names = [ordered]@{ Url = 'url'; Certificate = 'cert'; Issuer = 'issuer' }
    $run = Invoke-Program (@('check', '--format', $Format, '--output', $full) + (Get-OptionList $PSBoundParameters $names))
    if ($run.ExitCode -gt 2) { throw $run.Messages }
    Get-Item -LiteralPath $full
}

function Publish-CrlAgentCrl {
    <#
    .SYNOPSIS
    Publishes CRLs and proves that every location serves them.
    .PARAMETER Change
    The change ticket. The same call with the same ticket gives the same answer.
    .PARAMETER Reason
    Why, for the record.
    .PARAMETER Until
    Explicit end of the new CRLs (UTC, e.g. 2026-11-24T06:00Z).
    .EXAMPLE
    Publish-CrlAgentCrl -Change INC0001 -Reason 'CRL about to expire'
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param([string]$Change, [string]$Reason, [string]$Until)
    if ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, 'publish CRLs')) {
        $names = [ordered]@{ Change = 'change'; Reason = 'reason'; Until = 'until' }
        Get-Answer (@('publish', '--json') + (Get-OptionList $PSBoundParameters $names))
    }
}

function Suspend-CrlAgentCa {
    <#
    .SYNOPSIS
    Takes the CA out of use before HSM maintenance: probes, gate, pause.
    .DESCRIPTION
    -WhatIf asks the agent to judge (--dry-run): nothing is published or stopped, and the verdict is returned.
    .PARAMETER Change
    The change ticket. The same call with the same ticket gives the same answer.
    .PARAMETER Window
    How long the HSM is away: 90m, 4h.
    .PARAMETER Reserve
    Runway that must be left when the window ends; the configured one when left out.
    .PARAMETER Reason
    Why, for the record.
    .PARAMETER Deadline
    What happens at the deadline: hold (page a person, stay paused) or resume.
    .PARAMETER Token
    ID.EPOCH of an earlier answer: an old caller cannot act on a newer maintenance.
    .PARAMETER PrepareOnly
    Probe, judge and publish a cover CRL where needed, and do not pause yet.
    .EXAMPLE
    Suspend-CrlAgentCa -Change CHG0012345 -Window 4h -WhatIf
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory)][string]$Change,
        [Parameter(Mandatory)][ValidatePattern('^[0-9]+[smhd]([0-9]+[smhd])*$')][string]$Window,
        [string]$Reserve, [string]$Reason, [ValidateSet('hold', 'resume')][string]$Deadline, [string]$Token,
        [switch]$PrepareOnly
    )
    $names = [ordered]@{ Change = 'change'; Window = 'window'; Reserve = 'reserve'; Reason = 'reason'; Deadline = 'deadline'
        Token = 'token'; PrepareOnly = 'prepare-only' }
    $arguments = @('hook', 'pre-upgrade', '--json') + (Get-OptionList $PSBoundParameters $names)
    if ($WhatIfPreference) {
        Get-Answer ($arguments + '--dry-run')
    } elseif ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, "stop the CA for $Window")) {
        Get-Answer $arguments
    }
}

function Resume-CrlAgentCa {
    <#
    .SYNOPSIS
    Brings the CA back after HSM maintenance: tests the key, starts, publishes, proves.
    .DESCRIPTION
    -WhatIf asks the agent to judge (--dry-run): nothing is started or published.
    .PARAMETER Change
    The change ticket. The same call with the same ticket gives the same answer.
    .PARAMETER Token
    ID.EPOCH of an earlier answer: an old caller cannot act on a newer maintenance.
    .EXAMPLE
    Resume-CrlAgentCa -Change CHG0012345
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)][string]$Change, [string]$Token)
    $names = [ordered]@{ Change = 'change'; Token = 'token' }
    $arguments = @('hook', 'post-upgrade', '--json') + (Get-OptionList $PSBoundParameters $names)
    if ($WhatIfPreference) {
        Get-Answer ($arguments + '--dry-run')
    } elseif ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, 'bring the CA back')) {
        Get-Answer $arguments
    }
}

function Stop-CrlAgentMaintenance {
    <#
    .SYNOPSIS
    Takes a maintenance back and restores the former state.
    .PARAMETER Change
    The change ticket. The same call with the same ticket gives the same answer.
    .PARAMETER Reason
    Why, for the record.
    .PARAMETER Token
    ID.EPOCH of an earlier answer: an old caller cannot act on a newer maintenance.
    .EXAMPLE
    Stop-CrlAgentMaintenance -Change CHG0012345 -Reason 'vendor cancelled' -Confirm:$false
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)][string]$Change, [string]$Reason, [string]$Token)
    if ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, "abort the maintenance $Change")) {
        $names = [ordered]@{ Change = 'change'; Reason = 'reason'; Token = 'token' }
        Get-Answer (@('abort', '--json') + (Get-OptionList $PSBoundParameters $names))
    }
}

function Set-CrlAgentDeadline {
    <#
    .SYNOPSIS
    Moves the deadline of the open maintenance: a new window, counted from the pause.
    .PARAMETER Change
    The change ticket. The same call with the same ticket gives the same answer.
    .PARAMETER Window
    The whole window from the pause on: 6h after 4h means two hours more.
    .PARAMETER Reason
    Why, for the record.
    .PARAMETER Token
    ID.EPOCH of an earlier answer: an old caller cannot act on a newer maintenance.
    .EXAMPLE
    Set-CrlAgentDeadline -Change CHG0012345 -Window 6h -Reason 'firmware load still running'
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)][string]$Change, [Parameter(Mandatory)][string]$Window, [string]$Reason, [string]$Token)
    if ($PSCmdlet.ShouldProcess($env:COMPUTERNAME, "set the window of $Change to $Window, counted from the pause")) {
        $names = [ordered]@{ Change = 'change'; Window = 'window'; Reason = 'reason'; Token = 'token' }
        Get-Answer (@('extend', '--json') + (Get-OptionList $PSBoundParameters $names))
    }
}
