# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
<#
.SYNOPSIS
Looks at what could not be seen under Wine, on a throw-away Windows Server. One line per fact of docs/verification.md.
.DESCRIPTION
Makes a small PKI on this host (a standalone root that issues one subordinate CA, software keys, CRLs served by a local web
listener), installs the MSI, runs the whole flow and removes everything again. It installs and removes Windows roles: never
run it on a machine that anybody needs. It has not been run by the project so far.
    PASS  the fact holds      FAIL  it does not      SEEN  nothing was expected; this is what Windows says
.EXAMPLE
.\verify.ps1 -Msi .\crlagent-0.1.0-x64.msi -OldMsi .\crlagent-0.0.9-x64.msi -ThrowAwayMachine
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][string]$Msi,
    [switch]$ThrowAwayMachine,
    [string]$OldMsi,
    [int]$Port = 8087,
    [string]$Folder = 'C:\crlagent-verify'
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$script:failed = 0
$agent = Join-Path $env:ProgramFiles 'crlagent\crlagent.exe'
$data = Join-Path $env:ProgramData 'crlagent'
$www = Join-Path $Folder 'www'
$caKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Verify Issuing'

function Write-Fact([string]$Id, [string]$Verdict, [string]$Text) {
    if ($Verdict -eq 'FAIL') { $script:failed++ }
    Write-Output ('{0} {1,-4}  {2}' -f $Id, $Verdict, $Text)
}

# The block returns $true, or $false, or throws.
function Test-Fact([string]$Id, [string]$Text, [scriptblock]$Block) {
    try {
        if (& $Block) { Write-Fact $Id 'PASS' $Text } else { Write-Fact $Id 'FAIL' $Text }
    } catch {
        Write-Fact $Id 'FAIL' "$Text ($($_.Exception.Message))"
    }
}

function Show-Fact([string]$Id, [string]$Text, [scriptblock]$Block) {
    try { Write-Fact $Id 'SEEN' "${Text}: $((& $Block) -join ' | ')" } catch { Write-Fact $Id 'SEEN' "${Text}: $($_.Exception.Message)" }
}

# Runs a program with arguments; its output is the result, its exit code is in $script:code.
function Invoke-Tool([string]$Program, [string[]]$Arguments) {
    $ErrorActionPreference = 'Continue'
    $out = & $Program @Arguments 2>&1 | ForEach-Object { "$_" }
    $script:code = $LASTEXITCODE
    return $out
}
function Invoke-Agent { return (Invoke-Tool $agent ([string[]]$args)) }
function Invoke-Certutil { return (Invoke-Tool 'certutil.exe' ([string[]]$args)) }

function Invoke-Setup([string[]]$Arguments) {
    $p = Start-Process msiexec.exe -ArgumentList ($Arguments + '/qn') -Wait -PassThru
    return $p.ExitCode
}

function Wait-Until([int]$Seconds, [scriptblock]$Block) {
    $end = (Get-Date).AddSeconds($Seconds)
    while ((Get-Date) -lt $end) {
        if (& $Block) { return $true }
        Start-Sleep -Milliseconds 500
    }
    return $false
}

function Restart-Ca {
    Restart-Service CertSvc
    if (-not (Wait-Until 60 { Invoke-Certutil -ping | Out-Null; $script:code -eq 0 })) { throw 'the CA does not answer' }
}

function Get-Crl { return ((Invoke-Agent crl show --json "$www\issuing.crl") -join "`n" | ConvertFrom-Json) }

# ---- the small PKI ------------------------------------------------------------------------------
function Start-Web {
    New-Item -ItemType Directory -Force $www | Out-Null
    $script:web = Start-Job -ArgumentList $www, $Port -ScriptBlock {
        param($www, $port)
        $listener = New-Object System.Net.HttpListener
        $listener.Prefixes.Add("http://localhost:$port/")
        $listener.Start()
        while ($true) {
            $context = $listener.GetContext()
            $file = Join-Path $www ([IO.Path]::GetFileName($context.Request.Url.LocalPath))
            if (Test-Path -LiteralPath $file) {
                $bytes = [IO.File]::ReadAllBytes($file)
                $context.Response.ContentType = 'application/pkix-crl'
                $context.Response.OutputStream.Write($bytes, 0, $bytes.Length)
            } else {
                $context.Response.StatusCode = 404
            }
            $context.Response.Close()
        }
    }
}

function Set-CrlUrls([string]$Name) {
    Invoke-Certutil -setreg CA\CRLPublicationURLs "65:$www\$Name.crl\n6:http://localhost:$Port/$Name.crl" | Out-Null
    Invoke-Certutil -setreg CA\CACertPublicationURLs "1:$www\$Name.crt" | Out-Null
    Invoke-Certutil -setreg CA\CRLPeriodUnits 2 | Out-Null
    Invoke-Certutil -setreg CA\CRLPeriod Days | Out-Null
    Restart-Ca
    Invoke-Certutil -CRL | Out-Null
}

# A standalone root is installed, signs a subordinate's request, and makes room for the subordinate.
function Install-Pki {
    Install-WindowsFeature ADCS-Cert-Authority -IncludeManagementTools | Out-Null
    Install-AdcsCertificationAuthority -CAType StandaloneRootCA -CACommonName 'Verify Root' -KeyLength 2048 `
        -HashAlgorithmName SHA256 -CryptoProviderName 'RSA#Microsoft Software Key Storage Provider' -Force | Out-Null
    Set-CrlUrls 'root'
    Invoke-Certutil -setreg Policy\RequestDisposition 1 | Out-Null
    Restart-Ca
    @'
[NewRequest]
Subject = "CN=Verify Issuing"
KeyLength = 2048
Exportable = TRUE
MachineKeySet = TRUE
ProviderName = "Microsoft Software Key Storage Provider"
KeyUsage = 0x86
[Extensions]
2.5.29.19 = "{text}ca=1"
Critical = 2.5.29.19
'@ | Set-Content -Encoding ascii "$Folder\sub.inf"
    $root = "$env:COMPUTERNAME\Verify Root"
    Invoke-Tool 'certreq.exe' @('-new', '-q', "$Folder\sub.inf", "$Folder\sub.req") | Out-Null
    Invoke-Tool 'certreq.exe' @('-submit', '-q', '-config', $root, "$Folder\sub.req", "$Folder\sub.cer") | Out-Null
    Invoke-Certutil -config $root '-ca.cert' "$Folder\root.cer" | Out-Null
    Import-Certificate "$Folder\root.cer" -CertStoreLocation Cert:\LocalMachine\Root | Out-Null
    Invoke-Tool 'certreq.exe' @('-accept', '-machine', '-q', "$Folder\sub.cer") | Out-Null
    $cert = Get-ChildItem Cert:\LocalMachine\My | Where-Object { $_.Subject -eq 'CN=Verify Issuing' } | Select-Object -First 1
    $password = ConvertTo-SecureString ([guid]::NewGuid().ToString()) -AsPlainText -Force
    Export-PfxCertificate -Cert $cert -FilePath "$Folder\sub.pfx" -Password $password | Out-Null
    Uninstall-AdcsCertificationAuthority -Force | Out-Null
    Install-AdcsCertificationAuthority -CAType StandaloneSubordinateCA -CertFile "$Folder\sub.pfx" -CertFilePassword $password `
        -Force | Out-Null
    Remove-Item "$Folder\sub.pfx"
    Set-CrlUrls 'issuing'
}

# ---- facts --------------------------------------------------------------------------------------
function Test-Setup {
    Test-Fact 'V02' 'MSI installs silently' { (Invoke-Setup @('/i', "`"$Msi`"", '/l*v', "$Folder\install.log")) -eq 0 }
    $service = Get-CimInstance Win32_Service -Filter "Name='crlagent'"
    Test-Fact 'V01' 'the service runs and starts by itself' { $service.State -eq 'Running' -and $service.StartMode -eq 'Auto' }
    Test-Fact 'V03' "the service path is quoted: $($service.PathName)" { $service.PathName.StartsWith('"') }
    Test-Fact 'V04' 'recovery actions: restart, three times' {
        @(Invoke-Tool 'sc.exe' @('qfailure', 'crlagent') | Select-String '60000').Count -ge 3
    }
    Test-Fact 'V04' 'delayed start' { (Get-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\crlagent).DelayedAutostart -eq 1 }
    Test-Fact 'V05' 'users may not write to the data folders' {
        $users = 'S-1-1-0', 'S-1-5-11', 'S-1-5-32-545'
        $writing = [Security.AccessControl.FileSystemRights]'WriteData, AppendData, Delete, ChangePermissions, TakeOwnership'
        $bad = @(Get-Item $data) + @(Get-ChildItem $data -Directory) | ForEach-Object {
            (Get-Acl $_.FullName).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])
        } | Where-Object { $_.IdentityReference.Value -in $users -and $_.AccessControlType -eq 'Allow' -and ($_.FileSystemRights -band $writing) }
        -not $bad
    }
    Test-Fact 'V16' 'event source writes readable text' {
        [bool](Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'crlagent' } -MaxEvents 1).Message
    }
}

# As a user without rights: the pipe must refuse.
function Test-User {
    $name = 'crlverify'
    $secure = ConvertTo-SecureString "Vf!$([guid]::NewGuid().ToString('N'))" -AsPlainText -Force
    New-LocalUser -Name $name -Password $secure -AccountNeverExpires | Out-Null
    try {
        $credential = New-Object System.Management.Automation.PSCredential("$env:COMPUTERNAME\$name", $secure)
        $p = Start-Process $agent -ArgumentList 'publish --change V07' -Credential $credential -WorkingDirectory C:\Windows -Wait -PassThru -WindowStyle Hidden
        Test-Fact 'V07' "a user without rights cannot publish (exit code $($p.ExitCode))" { $p.ExitCode -in 21, 22 }
    } finally {
        Remove-LocalUser $name
    }
    Test-Fact 'V06' 'the pipe name cannot be taken twice' {
        try {
            (New-Object System.IO.Pipes.NamedPipeServerStream('crlagent\control', [IO.Pipes.PipeDirection]::InOut, 10)).Dispose()
            $false
        } catch { $true }
    }
}

function Test-Ca {
    Test-Fact 'V08' 'publish over COM, proven at every location' { Invoke-Agent publish --change V08 | Out-Null; $script:code -eq 0 }
    Test-Fact 'V09' 'an explicit end gives a longer CRL' {
        $before = [datetime](Get-Crl).next_update
        $until = (Get-Date).ToUniversalTime().AddDays(5).ToString('yyyy-MM-ddTHH:mmZ')
        Invoke-Agent publish --change V09 --until $until | Out-Null
        $script:code -eq 0 -and [datetime](Get-Crl).next_update -gt $before.AddDays(2)
    }
    Show-Fact 'V09' 'thisUpdate, Next CRL Publish, nextUpdate after an explicit end' {
        $crl = Get-Crl
        $crl.this_update, $crl.next_publish, $crl.next_update
    }
    Show-Fact 'V12' 'CertSvc' {
        $s = Get-CimInstance Win32_Service -Filter "Name='CertSvc'"
        "account $($s.StartName)", "controls $((Invoke-Tool 'sc.exe' @('query', 'CertSvc')) -match 'STOPPABLE')",
        "needs $((Get-Service CertSvc).ServicesDependedOn.Name -join ',')", "needed by $((Get-Service CertSvc).DependentServices.Name -join ',')"
    }
    Show-Fact 'V15' 'locations as configured' { (Get-ItemProperty $caKey).CRLPublicationURLs }
    $urls = (Get-ItemProperty $caKey).CRLPublicationURLs
    Set-ItemProperty $caKey CRLPublicationURLs ($urls + '65:C:\no-such-folder\x.crl')
    Restart-Ca
    Show-Fact 'V11' 'exit code of certutil -CRL with one failing location' { Invoke-Certutil -CRL | Out-Null; $script:code }
    Test-Fact 'V10' 'a failed location is not called success' { Invoke-Agent publish --change V10 | Out-Null; $script:code -eq 12 }
    Set-ItemProperty $caKey CRLPublicationURLs $urls
    Restart-Ca
}

function Test-Flow {
    Test-Fact 'V17' 'pre-upgrade judges without changing anything' {
        Invoke-Agent hook pre-upgrade --change V17 --window 1h --dry-run | Out-Null
        $script:code -eq 0 -and (Get-Service CertSvc).Status -eq 'Running'
    }
    Test-Fact 'V18' 'pre-upgrade stops the CA' {
        Invoke-Agent hook pre-upgrade --change V18 --window 1h | Out-Null
        $script:code -eq 0 -and (Get-Service CertSvc).Status -eq 'Stopped'
    }
    Test-Fact 'V02' 'setup refuses during a maintenance' {
        (Invoke-Setup @('/x', "`"$Msi`"")) -ne 0 -and (Get-Service crlagent).Status -eq 'Running'
    }
    Test-Fact 'V19' 'post-upgrade brings it back and proves it' {
        Invoke-Agent hook post-upgrade --change V18 | Out-Null
        $script:code -eq 0 -and (Get-Service CertSvc).Status -eq 'Running'
    }
    Test-Fact 'V14' 'CertSvc does not start without the parent CRL' {
        Stop-Service CertSvc
        Rename-Item "$www\root.crl" 'root.away'
        Invoke-Certutil -setreg chain\ChainCacheResyncFiletime '@now' | Out-Null
        Invoke-Certutil -urlcache CRL delete | Out-Null
        Start-Service CertSvc -ErrorAction SilentlyContinue
        $stopped = Wait-Until 60 { (Get-Service CertSvc).Status -eq 'Stopped' }
        Rename-Item "$www\root.away" 'root.crl'
        Start-Service CertSvc
        $stopped
    }
    Show-Fact 'V13' 'CRL number before and after a restart past Next CRL Publish' {
        $before = (Get-Crl).number
        Set-ItemProperty $caKey CRLNextPublish ([BitConverter]::GetBytes((Get-Date).AddHours(-1).ToFileTimeUtc()))
        Restart-Ca
        Start-Sleep -Seconds 30
        $before, (Get-Crl).number
    }
    Test-Fact 'V21' 'PowerShell module' {
        Import-Module CrlAgent -Force
        $null -ne (Get-CrlAgentStatus).ExitCode
    }
}

function Test-Removal {
    if ($OldMsi) {
        Test-Fact 'V20' 'downgrade is refused' { (Invoke-Setup @('/i', "`"$OldMsi`"")) -ne 0 }
    }
    Set-Service crlagent -StartupType Manual
    Test-Fact 'V22' 'an upgrade or repair keeps a manual start' {
        (Invoke-Setup @('/i', "`"$Msi`"", 'REINSTALL=ALL', 'REINSTALLMODE=omus')) -eq 0 -and
        (Get-CimInstance Win32_Service -Filter "Name='crlagent'").StartMode -eq 'Manual'
    }
    Test-Fact 'V20' 'removal with PURGE' { (Invoke-Setup @('/x', "`"$Msi`"", 'PURGE=1', '/l*v', "$Folder\remove.log")) -eq 0 }
    Test-Fact 'V20' 'nothing is left' {
        -not (Test-Path $data) -and -not (Test-Path (Split-Path $agent)) -and -not (Get-Service crlagent -ErrorAction SilentlyContinue) -and
        -not (Test-Path HKLM:\SOFTWARE\crlagent) -and -not (Test-Path HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\crlagent)
    }
}

if (-not $ThrowAwayMachine) { throw 'say -ThrowAwayMachine: this script installs and removes Windows roles' }
$Msi = (Resolve-Path $Msi).Path
if ($OldMsi) { $OldMsi = (Resolve-Path $OldMsi).Path }
New-Item -ItemType Directory -Force $Folder | Out-Null
Start-Web
try {
    Install-Pki
    Test-Setup
    Test-User
    Test-Ca
    Test-Flow
    Test-Removal
} finally {
    Stop-Job $script:web -ErrorAction SilentlyContinue
    Uninstall-AdcsCertificationAuthority -Force -ErrorAction SilentlyContinue | Out-Null
}
Write-Output "$script:failed failed"
exit [int]($script:failed -gt 0)
