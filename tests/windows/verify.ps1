# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
<#
.SYNOPSIS
Looks at what could not be seen under Wine, on a throw-away Windows Server. One line or more per fact of docs/verification.md.
.DESCRIPTION
Makes a small PKI on this host (a standalone root that issues one subordinate CA, software keys, CRLs served by a local web
listener), installs the MSI, runs the whole flow and removes everything again. It installs and removes Windows roles: never
run it on a machine that anybody needs. It has not been run by the project so far.
    PASS  the fact holds      FAIL  it does not      SEEN  nothing was expected; this is what Windows says
    HAND  cannot be looked at by a script on one host; the line says how
Exit code: 0, or 1 when a fact failed or the script did not come to its end.
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
$script:seen = @{}
$agent = Join-Path $env:ProgramFiles 'crlagent\crlagent.exe'
$data = Join-Path $env:ProgramData 'crlagent'
$www = Join-Path $Folder 'www'
$caKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Verify Issuing'

function Write-Fact([string]$Id, [string]$Verdict, [string]$Text) {
    if ($Verdict -eq 'FAIL') { $script:failed++ }
    $script:seen[$Id] = $true
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

function Write-Hand([string]$Id, [string]$Text) { Write-Fact $Id 'HAND' $Text }

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

# Runs a piece of PowerShell as SYSTEM (a task of the scheduler); its output is the result.
function Invoke-AsSystem([string]$Code) {
    $out = Join-Path $Folder 'system.txt'
    Remove-Item $out -ErrorAction SilentlyContinue
    $whole = "try { & { $Code } 2>&1 | Out-File -Encoding utf8 '$out.part' } finally { Move-Item '$out.part' '$out' -Force }"
    $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($whole))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -EncodedCommand $encoded"
    Register-ScheduledTask -TaskName 'crlverify' -Action $action -User 'SYSTEM' -RunLevel Highest -Force | Out-Null
    try {
        Start-ScheduledTask -TaskName 'crlverify'
        if (-not (Wait-Until 120 { Test-Path $out })) { throw 'the task that runs as SYSTEM gave no result' }
        return (Get-Content $out -Raw).Trim()
    } finally {
        Unregister-ScheduledTask -TaskName 'crlverify' -Confirm:$false
    }
}

# Starts a program as another user. Not by Start-Process -Credential: with -Wait -PassThru its ExitCode may stay empty.
function Start-AsUser([System.Management.Automation.PSCredential]$Credential, [string]$Program, [string]$Arguments) {
    $start = New-Object System.Diagnostics.ProcessStartInfo($Program, $Arguments)
    $start.UserName = $Credential.GetNetworkCredential().UserName
    $start.Domain = $env:COMPUTERNAME
    $start.Password = $Credential.Password
    $start.LoadUserProfile = $true
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.WorkingDirectory = $env:SystemRoot
    return [System.Diagnostics.Process]::Start($start)
}

# Runs a program as another user; the exit code is the result.
function Invoke-AsUser([System.Management.Automation.PSCredential]$Credential, [string]$Program, [string]$Arguments) {
    $p = Start-AsUser $Credential $Program $Arguments
    if (-not $p.WaitForExit(180000)) {
        $p.Kill()
        throw "'$Program $Arguments' did not end"
    }
    return [int]$p.ExitCode
}

$shell = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
function Get-ShellArgument([string]$Code) {
    return '-NoProfile -NonInteractive -EncodedCommand ' + [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($Code))
}

# The entries of a folder's access list by which Everyone, Authenticated Users or Users may change it.
function Get-WritingUser([string]$Path) {
    $users = 'S-1-1-0', 'S-1-5-11', 'S-1-5-32-545'
    $writing = [Security.AccessControl.FileSystemRights]'WriteData, AppendData, Delete, ChangePermissions, TakeOwnership'
    (Get-Acl $Path).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier]) | Where-Object {
        $_.IdentityReference.Value -in $users -and $_.AccessControlType -eq 'Allow' -and ($_.FileSystemRights -band $writing)
    }
}

function Get-ServiceList { return ((Invoke-Tool 'sc.exe' @('sdshow', 'CertSvc')) -join '').Trim() }
function Get-CaList { return [BitConverter]::ToString([byte[]](Get-ItemProperty $caKey).Security) }
function Get-DoctorLine([string]$Name) {
    $answer = (Invoke-Agent doctor --json) -join "`n" | ConvertFrom-Json
    return ($answer.lines | Where-Object { $_.id -eq $Name } | Select-Object -First 1)
}

function Get-Crl { return ((Invoke-Agent crl show --json "$www\issuing.crl") -join "`n" | ConvertFrom-Json) }

# ---- the small PKI ------------------------------------------------------------------------------
function Start-Listener([string]$Prefix) {
    return Start-Job -ArgumentList $www, $Prefix -ScriptBlock {
        param($www, $prefix)
        $listener = New-Object System.Net.HttpListener
        $listener.Prefixes.Add($prefix)
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

function Start-Web {
    New-Item -ItemType Directory -Force $www | Out-Null
    $script:web = Start-Listener "http://localhost:$Port/"
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
    if ($OldMsi) {
        Test-Fact 'V49' 'an older MSI installs' { (Invoke-Setup @('/i', "`"$OldMsi`"", 'OPERATORS=crlverify-operators')) -eq 0 }
        Set-Content -Encoding utf8 (Join-Path $data 'config\crlagent.xml') '<crlagent version="1"/>'
    } else {
        Write-Hand 'V49' 'upgrade old to new: give -OldMsi'
    }
    Test-Fact 'V02' 'MSI installs silently' {
        (Invoke-Setup @('/i', "`"$Msi`"", 'OPERATORS=crlverify-operators', '/l*v', "$Folder\install.log")) -eq 0
    }
    if ($OldMsi) {
        Test-Fact 'V49' 'an upgrade keeps configuration, operators and account' {
            (Test-Path (Join-Path $data 'config\crlagent.xml')) -and
            (Get-ItemProperty HKLM:\SOFTWARE\crlagent).Operators -eq 'crlverify-operators'
        }
    }
    $service = Get-CimInstance Win32_Service -Filter "Name='crlagent'"
    Test-Fact 'V01' 'the service runs and starts by itself' { $service.State -eq 'Running' -and $service.StartMode -eq 'Auto' }
    Test-Fact 'V01' "its account is the virtual one: $($service.StartName)" { $service.StartName -eq 'NT SERVICE\crlagent' }
    Test-Fact 'V03' "the service path is quoted: $($service.PathName)" { $service.PathName.StartsWith('"') }
    Test-Fact 'V04' 'recovery actions: restart, three times' {
        @(Invoke-Tool 'sc.exe' @('qfailure', 'crlagent') | Select-String '60000').Count -ge 3
    }
    Test-Fact 'V04' 'a non-zero exit counts as a failure' {
        [bool](Invoke-Tool 'sc.exe' @('qfailureflag', 'crlagent') | Select-String 'FAILURE_ACTIONS_ON_NONCRASH_FAILURES *: TRUE')
    }
    Test-Fact 'V04' 'preshutdown time of ten seconds' {
        (Get-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\crlagent).PreshutdownTimeout -eq 10000
    }
    Test-Fact 'V23' 'service SID is unrestricted' {
        [bool](Invoke-Tool 'sc.exe' @('qsidtype', 'crlagent') | Select-String 'UNRESTRICTED')
    }
    Test-Fact 'V23' 'the SID in the access lists is that of the service' {
        $sid = (New-Object Security.Principal.NTAccount('NT SERVICE\crlagent')).Translate([Security.Principal.SecurityIdentifier]).Value
        (Get-Acl (Join-Path $data 'state')).Sddl.Contains($sid)
    }
    Test-Fact 'V24' 'three required privileges, no more' {
        $found = @(Invoke-Tool 'sc.exe' @('qprivs', 'crlagent') | Select-String -AllMatches 'Se\w+Privilege' | ForEach-Object { $_.Matches.Value } | Sort-Object)
        ($found -join ' ') -eq 'SeChangeNotifyPrivilege SeCreateGlobalPrivilege SeImpersonatePrivilege'
    }
    Test-Fact 'V25' 'a killed service is started again within two minutes' {
        $old = (Get-CimInstance Win32_Service -Filter "Name='crlagent'").ProcessId
        Stop-Process -Id $old -Force
        Wait-Until 120 {
            $now = Get-CimInstance Win32_Service -Filter "Name='crlagent'"
            $now.State -eq 'Running' -and $now.ProcessId -ne $old
        }
    }
    Show-Fact 'V51' 'signature of the programs' { (Get-AuthenticodeSignature $agent).Status, (Get-AuthenticodeSignature $Msi).Status }
    Test-Fact 'V04' 'delayed start' { (Get-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\crlagent).DelayedAutostart -eq 1 }
    Test-Fact 'V05' 'users may not write to the data folders' {
        -not (@(Get-Item $data) + @(Get-ChildItem $data -Directory) | Where-Object { Get-WritingUser $_.FullName })
    }
    Test-Fact 'V16' 'event source writes readable text' {
        [bool](Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'crlagent' } -MaxEvents 1).Message
    }
}

function Test-Hardening {
    Test-Fact 'V33' 'a data folder that users may write to is refused' {
        $state = Join-Path $data 'state'
        Invoke-Agent stop | Out-Null
        Invoke-Tool 'icacls.exe' @($state, '/grant', '*S-1-5-32-545:(OI)(CI)M') | Out-Null
        try {
            Invoke-Agent start | Out-Null
            $refused = $script:code -ne 0
            $refused -and (Get-DoctorLine 'folder.state').state -eq 'missing'
        } finally {
            Invoke-Tool 'icacls.exe' @($state, '/remove:g', '*S-1-5-32-545') | Out-Null
            Invoke-Agent start | Out-Null
        }
    }
    Test-Fact 'V48' 'DLLs planted in the current folder are not loaded' {
        $place = Join-Path $Folder 'planted'
        New-Item -ItemType Directory -Force $place | Out-Null
        foreach ($n in 'version.dll', 'wldap32.dll', 'netapi32.dll', 'secur32.dll', 'iphlpapi.dll', 'ncrypt.dll') {
            Set-Content -Encoding ascii (Join-Path $place $n) 'this is no DLL'
        }
        Push-Location $place
        try { Invoke-Agent version | Out-Null } finally { Pop-Location }
        $script:code -eq 0
    }
    Test-Fact 'V48' 'users may not write to the folder of the programs' { -not (Get-WritingUser (Split-Path $agent)) }
    Test-Fact 'V43' 'a stored password cannot be read in its file' {
        $word = 'Vf-' + [guid]::NewGuid().ToString('N')
        $word | & $agent secret set verify | Out-Null
        try {
            $files = @(Get-ChildItem (Join-Path $data 'secrets') -File)
            $text = ($files | ForEach-Object { $b = [IO.File]::ReadAllBytes($_.FullName)
                    [Text.Encoding]::ASCII.GetString($b); [Text.Encoding]::Unicode.GetString($b) }) -join ''
            $files.Count -ge 1 -and -not $text.Contains($word)
        } finally {
            & $agent secret remove verify | Out-Null
        }
    }
    Write-Hand 'V43' 'copy a file of the folder secrets to another host: a test notice there must fail'
    Write-Hand 'V44' 'an entry in Credential Manager, made as the account of the service, is used before the file'
}

# What the probing worker may do, seen from outside by SYSTEM while it waits for a server that does not answer; and that it works:
# a token that is too narrow ends it before its first line.
function Test-Worker([string]$Account) {
    $config = Join-Path $data 'config\crlagent.xml'
    $silent = New-Object Net.Sockets.TcpListener([Net.IPAddress]::Loopback, ($Port + 1))
    $silent.Start()
    $asked = $null
    try {
        Set-Content -Encoding utf8 $config ('<crlagent version="1"><probe><timeout>45s</timeout></probe><locations><location url="http://127.0.0.1:' +
            ($Port + 1) + '/silent.crl" role="base"/></locations></crlagent>')
        Invoke-Agent stop | Out-Null
        Invoke-Agent start | Out-Null
        $asked = Start-Process $agent -ArgumentList 'check' -PassThru -WindowStyle Hidden
        $script:worker = $null
        Wait-Until 30 {
            $script:worker = Get-CimInstance Win32_Process -Filter "Name='crlagent.exe'" | Where-Object { $_.CommandLine -match '\sworker' } | Select-Object -First 1
            $null -ne $script:worker
        } | Out-Null
        $worker = $script:worker
        Test-Fact 'V36' "under ${Account}: the worker runs" { $null -ne $worker }
        $what = if ($worker) { Invoke-AsSystem ($tokenReader -replace '@PID@', "$($worker.ProcessId)") } else { '' }
        Test-Fact 'V36' "under ${Account}: its token is filtered: $what" { $what -match 'filtered=1' }
        Test-Fact 'V36' "under ${Account}: its integrity is low" { $what -match 'integrity=4096\b' }
        Test-Fact 'V36' "under ${Account}: no privilege but to pass through folders" { $what -match 'privileges=[01]\b' }
        Test-Fact 'V36' "under ${Account}: it is no administrator" { $what -match 'admins=(deny|none)\b' }
        Test-Fact 'V36' "under ${Account}: it is in a job" { $what -match 'job=True' }
    } finally {
        $silent.Stop()
        if ($asked -and -not $asked.HasExited) { $asked.WaitForExit(60000) | Out-Null }
        Remove-Item $config -ErrorAction SilentlyContinue
        Invoke-Agent stop | Out-Null
        Invoke-Agent start | Out-Null
    }
    Test-Fact 'V36' "under ${Account}: what it looks at is seen" {
        # Whatever else is wrong here: a worker that does not start sees no location at all.
        $report = (Invoke-Agent check --format json) -join "`n"
        $script:code -in 0, 1, 2 -and $report -match '"state": *"OK"'
    }
    Write-Hand 'V37' 'limits of the job (one process, 512 MB): Process Explorer, properties of the worker, tab Job'
}

# The same with the account that has more to lose, and then back.
function Test-WorkerAsSystem {
    Set-ServiceAccount 'LocalSystem'
    try { Test-Worker 'LocalSystem' } finally { Set-ServiceAccount 'NT SERVICE\crlagent' }
}

function Set-ServiceAccount([string]$Account) {
    Invoke-Agent stop | Out-Null
    Invoke-Agent install --account $Account | Out-Null
    Test-Fact 'V36' "the service is given the account $Account, and starts" {
        Invoke-Agent start | Out-Null
        $script:code -eq 0 -and (Get-CimInstance Win32_Service -Filter "Name='crlagent'").StartName -eq $Account
    }
}

$tokenReader = @'
Add-Type -TypeDefinition @"
using System;
using System.Runtime.InteropServices;
public static class Token {
    [DllImport("kernel32", SetLastError = true)] static extern IntPtr OpenProcess(uint access, bool inherit, int pid);
    [DllImport("kernel32", SetLastError = true)] static extern bool IsProcessInJob(IntPtr process, IntPtr job, out bool result);
    [DllImport("advapi32", SetLastError = true)] static extern bool OpenProcessToken(IntPtr process, uint access, out IntPtr token);
    [DllImport("advapi32", SetLastError = true)] static extern bool GetTokenInformation(IntPtr token, int what, IntPtr to, int size, out int used);
    [DllImport("advapi32")] static extern IntPtr GetSidSubAuthority(IntPtr sid, uint n);
    static IntPtr Ask(IntPtr token, int what) {
        IntPtr to = Marshal.AllocHGlobal(4096);
        int used;
        if (!GetTokenInformation(token, what, to, 4096, out used)) throw new System.ComponentModel.Win32Exception();
        return to;
    }
    static string Admins(IntPtr groups) {
        for (int i = 0; i < Marshal.ReadInt32(groups); i++) {
            IntPtr entry = new IntPtr(groups.ToInt64() + IntPtr.Size * (1 + 2 * i));
            if (new System.Security.Principal.SecurityIdentifier(Marshal.ReadIntPtr(entry)).Value == "S-1-5-32-544")
                return (Marshal.ReadInt32(entry, IntPtr.Size) & 16) != 0 ? "deny" : "member";
        }
        return "none";
    }
    public static string Describe(int pid) {
        IntPtr process = OpenProcess(0x400, false, pid), token;
        bool job;
        if (process == IntPtr.Zero || !OpenProcessToken(process, 8, out token) || !IsProcessInJob(process, IntPtr.Zero, out job))
            throw new System.ComponentModel.Win32Exception();
        int integrity = Marshal.ReadInt32(GetSidSubAuthority(Marshal.ReadIntPtr(Ask(token, 25)), 0));
        return "filtered=" + Marshal.ReadInt32(Ask(token, 21)) + " integrity=" + integrity + " privileges=" +
            Marshal.ReadInt32(Ask(token, 3)) + " job=" + job + " admins=" + Admins(Ask(token, 2));
    }
}
"@
[System.Diagnostics.Process]::EnterDebugMode()
[Token]::Describe(@PID@)
'@

# Rights are given, counted, and taken back: what administrators see with their own tools.
function Test-Grant {
    $script:formerService = Get-ServiceList
    $script:formerCa = Get-CaList
    Test-Fact 'V26' 'doctor names what is missing and what to type' {
        $line = Get-DoctorLine 'manage-ca'
        $line.state -eq 'missing' -and $line.fix -eq 'crlagent grant --ca'
    }
    Test-Fact 'V26' 'without rights nothing is published' { Invoke-Agent publish --change V26 | Out-Null; $script:code -ne 0 }
    Invoke-Tool 'sc.exe' @('create', 'crlverifydep', 'binPath=', 'C:\Windows\System32\svchost.exe', 'depend=', 'CertSvc', 'start=', 'demand') | Out-Null
    Invoke-Tool 'sc.exe' @('create', 'crlverifydep2', 'binPath=', 'C:\Windows\System32\svchost.exe', 'depend=', 'crlverifydep', 'start=', 'demand') | Out-Null
    $found = @(Invoke-Agent grant --services --dry-run)
    Test-Fact 'V47' 'a service that depends on CertSvc is found' { [bool]($found | Select-String 'service crlverifydep: would be given') }
    Test-Fact 'V47' 'and one that depends on that one' { [bool]($found | Select-String 'service crlverifydep2: would be given') }
    Invoke-Tool 'sc.exe' @('delete', 'crlverifydep2') | Out-Null
    Invoke-Tool 'sc.exe' @('delete', 'crlverifydep') | Out-Null
    Test-Fact 'V27' 'grant --services adds one entry to the access list of CertSvc' {
        Invoke-Agent grant --services | Out-Null
        $now = Get-ServiceList
        $count = { param($sddl) [regex]::Matches($sddl, '\(A;').Count }
        $script:code -eq 0 -and (& $count $now) -eq (& $count $script:formerService) + 1
    }
    Test-Fact 'V28' 'grant --ca changes the value Security' {
        Invoke-Agent grant --ca | Out-Null
        $script:code -eq 0 -and (Get-CaList) -ne $script:formerCa
    }
    Show-Fact 'V29' 'exit code of publish before CertSvc is restarted' { Invoke-Agent publish --change V29 | Out-Null; $script:code }
    $given = Get-CaList
    Restart-Ca
    Test-Fact 'V30' 'the CA does not write its old value back' { (Get-CaList) -eq $given }
    Test-Fact 'V29' 'after the restart Manage CA counts' { Invoke-Agent publish --change V29b | Out-Null; $script:code -eq 0 }
    Test-Fact 'V31' 'registry configuration of the CA can be read by the virtual account' { (Get-DoctorLine 'registry').state -eq 'ok' }
    Test-Fact 'V31' 'with Manage CA alone every property is read that a status needs' {
        $status = (Invoke-Agent status --json) -join "`n" | ConvertFrom-Json
        $script:code -eq 0 -and $null -ne $status.runway
    }
    Test-Fact 'V32' 'records in a folder that the service may write to are refused' {
        $grants = Join-Path $data 'grants'
        Invoke-Tool 'icacls.exe' @($grants, '/grant', 'NT SERVICE\crlagent:(OI)(CI)M') | Out-Null
        try {
            Invoke-Agent revoke --dry-run | Out-Null
            $script:code -eq 21
        } finally {
            Invoke-Tool 'icacls.exe' @($grants, '/remove:g', 'NT SERVICE\crlagent') | Out-Null
        }
    }
    Test-Fact 'V50' 'removal with PURGE is refused while rights are granted' {
        (Invoke-Setup @('/x', "`"$Msi`"", 'PURGE=1')) -ne 0 -and (Get-Service crlagent).Status -eq 'Running'
    }
}

function Test-Revoke {
    Test-Fact 'V50' 'a plain removal keeps the records, says so in its log, and a new installation finds them' {
        $removed = Invoke-Setup @('/x', "`"$Msi`"", '/l*v', "$Folder\plain.log")
        $kept = Test-Path (Join-Path $data 'grants\service-CertSvc.txt')
        $told = [bool](Select-String -Path "$Folder\plain.log" -Pattern 'crlagent revoke')
        $removed -eq 0 -and $kept -and $told -and (Invoke-Setup @('/i', "`"$Msi`"", 'OPERATORS=crlverify-operators')) -eq 0
    }
    Test-Fact 'V27' 'revoke gives CertSvc its former access list' {
        Invoke-Agent revoke | Out-Null
        $script:code -eq 0 -and (Get-ServiceList) -eq $script:formerService
    }
    Test-Fact 'V28' 'and the CA the same bytes as before' { (Get-CaList) -eq $script:formerCa }
    Restart-Ca
}

# Exit code 5: access denied; 1: it could be made.
$makeInstance = @'
try {
    (New-Object System.IO.Pipes.NamedPipeServerStream('crlagent\control', [IO.Pipes.PipeDirection]::InOut, 10)).Dispose()
    exit 1
} catch {
    $e = $_.Exception
    while ($e.InnerException) { $e = $e.InnerException }
    if ($e -is [UnauthorizedAccessException]) { exit 5 }
    exit 2
}
'@

# Takes the name of the pipe, and ends with 7 when somebody connects.
$takeName = @'
$pipe = New-Object System.IO.Pipes.NamedPipeServerStream('crlagent\control', [IO.Pipes.PipeDirection]::InOut, 1)
$pipe.WaitForConnection()
exit 7
'@

# While the agent does not run, any user can take the name of its pipe.
function Test-FalseService([System.Management.Automation.PSCredential]$Credential) {
    Invoke-Agent stop | Out-Null
    $holder = Start-AsUser $Credential $shell (Get-ShellArgument $takeName)
    try {
        Test-Fact 'V90' 'a user takes the name of the pipe while the agent is stopped' {
            # A list of names: to look at the name itself would be a connection.
            Wait-Until 30 { [IO.Directory]::GetFiles('\\.\pipe\') -contains '\\.\pipe\crlagent\control' }
        }
        Test-Fact 'V90' 'nobody talks to him: exit code 22' { Invoke-Agent status | Out-Null; $script:code -eq 22 -and -not $holder.HasExited }
        Test-Fact 'V90' 'the service does not share the name: it does not start' { Invoke-Agent start | Out-Null; $script:code -ne 0 }
    } finally {
        if (-not $holder.HasExited) { $holder.Kill() }
        $holder.WaitForExit(10000) | Out-Null
        Invoke-Agent start | Out-Null
    }
    Test-Fact 'V90' 'without him it starts' { Invoke-Agent status | Out-Null; $script:code -eq 0 }
}

# The exit code of a status in a remote shell on this host, and whether its token has the SID of NETWORK.
function Get-RemoteStatus([hashtable]$As) {
    return Invoke-Command -ComputerName localhost @As -ArgumentList $agent -ScriptBlock {
        param($agent)
        & $agent status 2>&1 | Out-Null
        '{0} {1}' -f $LASTEXITCODE, ([Security.Principal.WindowsIdentity]::GetCurrent().Groups.Value -contains 'S-1-5-2')
    }
}

function Test-RemoteShell([System.Management.Automation.PSCredential]$Credential) {
    Enable-PSRemoting -Force -SkipNetworkProfileCheck | Out-Null
    $said = Get-RemoteStatus @{}
    Test-Fact 'V91' "an administrator in a remote shell reaches the agent (exit code, NETWORK in the token: $said)" { $said -eq '0 True' }
    Add-LocalGroupMember -SID 'S-1-5-32-580' -Member 'crlverify'
    $said = Get-RemoteStatus @{ Credential = $Credential }
    Test-Fact 'V91' "so does an operator, whom the SCM tells nothing: the pipe's owner counts ($said)" { $said -eq '0 True' }
}

# As users without rights, of the operators, and over the network: what the pipe allows.
function Test-User {
    $name = 'crlverify'
    $secure = ConvertTo-SecureString "Vf!$([guid]::NewGuid().ToString('N'))" -AsPlainText -Force
    New-LocalUser -Name $name -Password $secure -AccountNeverExpires | Out-Null
    Add-LocalGroupMember -SID 'S-1-5-32-545' -Member $name -ErrorAction SilentlyContinue
    try {
        $credential = New-Object System.Management.Automation.PSCredential("$env:COMPUTERNAME\$name", $secure)
        $code = Invoke-AsUser $credential $agent 'publish --change V07'
        Test-Fact 'V07' "a user without rights cannot publish (exit code $code)" { $code -eq 21 }
        $code = Invoke-AsUser $credential $agent 'status'
        Test-Fact 'V07' "nor ask for the status (exit code $code)" { $code -eq 21 }
        $code = Invoke-AsUser $credential $shell (Get-ShellArgument $makeInstance)
        Test-Fact 'V06' "nor serve a second instance of the pipe (exit code $code)" { $code -eq 5 }
        Test-FalseService $credential
        Add-LocalGroupMember -Group 'crlverify-operators' -Member $name
        $code = Invoke-AsUser $credential $agent 'publish --change V34'
        Test-Fact 'V34' "a member of the group named by OPERATORS publishes (exit code $code)" { $code -eq 0 }
        $code = Invoke-AsUser $credential $agent 'grant --ca'
        Test-Fact 'V34' "and cannot give rights (exit code $code)" { $code -in 21, 23 }
        $code = Invoke-AsUser $credential $shell (Get-ShellArgument $makeInstance)
        Test-Fact 'V06' "nor serve a second instance of the pipe (exit code $code)" { $code -eq 5 }
        try { Test-RemoteShell $credential } catch { Write-Fact 'V91' 'FAIL' "remote shell: $($_.Exception.Message)" }
    } finally {
        Remove-LocalUser $name
    }
    Test-Fact 'V35' 'the pipe refuses whoever comes over the network' {
        $pipe = New-Object System.IO.Pipes.NamedPipeClientStream('127.0.0.1', 'crlagent\control', [IO.Pipes.PipeDirection]::InOut)
        try { $pipe.Connect(3000); $false } catch { $true } finally { $pipe.Dispose() }
    }
    Write-Hand 'V35' 'the same from another host'
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
    $config = "$env:COMPUTERNAME\Verify Issuing"
    Test-Fact 'V40' 'ICertAdmin2.PublishCRLs of this Windows: base without a date succeeds' {
        $admin = New-Object -ComObject CertificateAuthority.Admin
        $admin.PublishCRLs($config, [datetime]::FromOADate(0), 1)
        $true
    }
    Test-Fact 'V40' 'a date in the past is refused with 0x80070057' {
        try {
            (New-Object -ComObject CertificateAuthority.Admin).PublishCRLs($config, (Get-Date).ToUniversalTime().AddDays(-1), 1)
            $false
        } catch { $_.Exception.ToString() -match '80070057|parameter is incorrect' -or $_.Exception.HResult -eq -2147024809 }
    }
    Show-Fact 'V40' 'a delta while deltas are disabled' {
        $period = (Get-ItemProperty $caKey).CRLDeltaPeriodUnits
        try { (New-Object -ComObject CertificateAuthority.Admin).PublishCRLs($config, [datetime]::FromOADate(0), 2); 'no error' } catch { $_.Exception.Message }
        "CRLDeltaPeriodUnits $period"
    }
    Test-Fact 'V38' 'certutil -verifykeys accepts the CA key' { Invoke-Certutil -verifykeys | Out-Null; $script:code -eq 0 }
    Test-Fact 'V41' 'with IF_ENFORCEENCRYPTICERTADMIN publishing still works' {
        Invoke-Certutil -setreg CA\InterfaceFlags +IF_ENFORCEENCRYPTICERTADMIN | Out-Null
        Restart-Ca
        Invoke-Agent publish --change V41 | Out-Null
        $script:code -eq 0
    }
    $crl = Get-ChildItem "$env:SystemRoot\System32\CertSrv\CertEnroll\*.crl" | Where-Object { $_.Name -notmatch '\+' } | Select-Object -First 1
    Show-Fact 'V80' 'certutil -sign with a list of extensions to take out: exit code, dates, number, extensions' {
        Invoke-Certutil -silent -f -sign $crl.FullName "$env:TEMP\v80.crl" now+2:00 '-2.5.29.46,1.3.6.1.4.1.311.21.4' | Out-Null
        $script:code
        Invoke-Agent crl show "$env:TEMP\v80.crl"
    }
    Test-Fact 'V81' 'certutil -sign with an extension file sets the CRL number and takes extensions out' {
        Set-Content "$env:TEMP\v81.inf" "[Extensions]`r`n2.5.29.46=`r`n1.3.6.1.4.1.311.21.4=`r`n2.5.29.20=`"{hex}`"`r`n_continue_=`"02020fa0`"" -Encoding ascii
        Invoke-Certutil -silent -f -sign $crl.FullName "$env:TEMP\v81.crl" now+2:00 "@$env:TEMP\v81.inf" | Out-Null
        $text = (Invoke-Agent crl show "$env:TEMP\v81.crl") -join "`n"
        $script:code -eq 0 -and $text -match '4000'
    }
    Show-Fact 'V11' 'exit codes of certutil: -ping with the CA stopped, -verifykeys of a CA that is not there' {
        Stop-Service CertSvc
        Invoke-Certutil -ping | Out-Null
        $script:code
        Invoke-Certutil -verifykeys 'No Such CA' | Out-Null
        $script:code
        Restart-Ca
    }
    Show-Fact 'V12' 'CertSvc' {
        $s = Get-CimInstance Win32_Service -Filter "Name='CertSvc'"
        "account $($s.StartName)", "controls $((Invoke-Tool 'sc.exe' @('query', 'CertSvc')) -match 'STOPPABLE')",
        "needs $((Get-Service CertSvc).ServicesDependedOn.Name -join ',')", "needed by $((Get-Service CertSvc).DependentServices.Name -join ',')"
    }
    Show-Fact 'V12' 'seconds that CertSvc takes to stop and to start' {
        $a = Get-Date
        Stop-Service CertSvc
        $b = Get-Date
        Restart-Ca
        ($b - $a).TotalSeconds, ((Get-Date) - $b).TotalSeconds
    }
    Show-Fact 'V15' 'locations as configured, and as the CA expands them' {
        (Get-ItemProperty $caKey).CRLPublicationURLs
        (New-Object -ComObject CertificateAuthority.Admin).GetCAProperty($config, 41, 0, 4, 0)
    }
    Show-Fact 'V15' 'tokens %12 %13 %14 as the CA expands them' {
        $former = (Get-ItemProperty $caKey).CRLPublicationURLs
        Set-ItemProperty $caKey CRLPublicationURLs ([string[]]($former + '2:http://tokens.invalid/a%12b%13c%14d'))
        Restart-Ca
        (New-Object -ComObject CertificateAuthority.Admin).GetCAProperty($config, 41, 0, 4, 0)
        Set-ItemProperty $caKey CRLPublicationURLs $former
        Restart-Ca
    }
    Test-Fact 'V60' 'ICertView, ordered on RequestID, lists as many issued certificates as certutil shows in armour' {
        $view = New-Object -ComObject CertificateAuthority.View
        $view.OpenConnection($config)
        $view.SetResultColumnCount(1)
        $view.SetResultColumn($view.GetColumnIndex(0, 'RawCertificate'))
        $view.SetRestriction($view.GetColumnIndex(0, 'RequestID'), 0x10, 2, 0) # greater, descending
        $view.SetRestriction($view.GetColumnIndex(0, 'Disposition'), 1, 0, 20) # equal
        $view.SetRestriction($view.GetColumnIndex(0, 'NotAfter'), 0x10, 0, [datetime]::UtcNow)
        $rows = $view.OpenView()
        $count = 0
        while ($rows.Next() -ge 0) { $count++ }
        $text = (Invoke-Certutil -view -restrict '-RequestID>0,Disposition=20' -out RawCertificate csv) -join "`n"
        $script:code -eq 0 -and $count -eq ([regex]::Matches($text, '-----BEGIN CERTIFICATE-----')).Count
    }
    $urls = (Get-ItemProperty $caKey).CRLPublicationURLs
    Set-ItemProperty $caKey CRLPublicationURLs ($urls + '65:C:\no-such-folder\x.crl')
    Restart-Ca
    Show-Fact 'V11' 'exit code of certutil -CRL with one failing location' { Invoke-Certutil -CRL | Out-Null; $script:code }
    Test-Fact 'V10' 'a failed location is not called success' { Invoke-Agent publish --change V10 | Out-Null; $script:code -eq 12 }
    Test-Fact 'V70' 'the event 65 of that is found in the Application log' {
        $report = (Invoke-Agent check --format json) -join "`n" | ConvertFrom-Json
        $report.findings.id -contains 3001 -and $report.findings.id -notcontains 3007
    }
    Set-ItemProperty $caKey CRLPublicationURLs $urls
    Restart-Ca
}

# The client of setup that a double click starts has no administrator's rights. Here its search is made blind for the user who
# runs this script, which is what the server half of setup imitates while it searches.
function Test-SetupUnseen {
    $marker = Join-Path $data 'maintenance.open'
    $me = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $log = Join-Path $Folder 'unseen.log'
    $old = (Get-CimInstance Win32_Service -Filter "Name='crlagent'").ProcessId
    Test-Fact 'V02' 'users may see and read what setup looks for, and nothing below' {
        $users = { param($path) @((Get-Acl $path).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier]) |
                    Where-Object { $_.IdentityReference.Value -eq 'S-1-5-32-545' }).Count }
        (& $users $data) -ge 1 -and (& $users $marker) -ge 1 -and (& $users (Join-Path $data 'state')) -eq 0
    }
    Invoke-Tool 'icacls.exe' @($data, '/deny', "*${me}:(RD)") | Out-Null
    Invoke-Tool 'icacls.exe' @($marker, '/deny', "*${me}:(R)") | Out-Null
    try {
        Test-Fact 'V02' 'setup refuses during a maintenance that its search has not seen, before it touches anything' {
            (Invoke-Setup @('/x', "`"$Msi`"", '/l*v', "`"$log`"")) -ne 0 -and
            (Get-CimInstance Win32_Service -Filter "Name='crlagent'").ProcessId -eq $old
        }
        Test-Fact 'V02' 'the log names the reason' { [bool](Select-String -Path $log -Pattern 'AMaintenanceHoldsThisCA' -Quiet) }
    } finally {
        Invoke-Tool 'icacls.exe' @($data, '/remove:d', "*$me") | Out-Null
        Invoke-Tool 'icacls.exe' @($marker, '/remove:d', "*$me") | Out-Null
    }
    Write-Hand 'V02' 'as an administrator with UAC, during a pause: a double click on the MSI says that a maintenance holds the CA'
}

function Test-Flow {
    Test-Fact 'V39' 'without access to the key the gate refuses before anything is touched' {
        Invoke-Agent hook pre-upgrade --change V39 --window 1h | Out-Null
        $script:code -eq 10 -and (Get-Service CertSvc).Status -eq 'Running'
    }
    Test-Fact 'V39' 'the account of the service is given read access to the key' {
        $cert = Get-ChildItem Cert:\LocalMachine\My | Where-Object { $_.Subject -eq 'CN=Verify Issuing' -and $_.HasPrivateKey } | Select-Object -First 1
        $key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($cert).Key.UniqueName
        Invoke-Tool 'icacls.exe' @((Join-Path $env:ProgramData "Microsoft\Crypto\Keys\$key"), '/grant', 'NT SERVICE\crlagent:R') | Out-Null
        $script:code -eq 0
    }
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
    Test-SetupUnseen
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
    Test-Fact 'V42' 'every event of the agent is shown with its text' {
        $events = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'crlagent' } -MaxEvents 500)
        $bad = @($events | Where-Object { -not $_.Message -or $_.Message -match 'cannot be found|could not be found' })
        $events.Count -ge 5 -and $bad.Count -eq 0
    }
    Test-Module
}

function Test-Module {
    Test-Fact 'V21' 'PowerShell module: loads, and every command has help with an example' {
        Import-Module CrlAgent -Force
        $commands = @(Get-Command -Module CrlAgent)
        $commands.Count -ge 13 -and -not @($commands | Where-Object { -not (Get-Help $_.Name).Synopsis.Trim() -or -not (Get-Help $_.Name).examples })
    }
    Test-Fact 'V21' 'objects: status, history, CRL, comparison, locations' {
        $crl = Get-CrlAgentCrl "$www\issuing.crl"
        $null -ne (Get-CrlAgentStatus).ExitCode -and @((Get-CrlAgentHistory -Limit 5).maintenances).Count -ge 1 -and $crl.number -and
        (Compare-CrlAgentCrl "$www\issuing.crl" "$www\issuing.crl").ExitCode -eq 0 -and
        (Test-CrlAgentCdp -Url "http://localhost:$Port/issuing.crl").ExitCode -in 0, 1
    }
    Test-Fact 'V21' '-WhatIf stops nothing and gives the verdict' {
        (Suspend-CrlAgentCa -Change V21 -Window 1h -WhatIf).ExitCode -eq 0 -and (Get-Service CertSvc).Status -eq 'Running'
    }
    Test-Fact 'V21' 'a refusal is an error with the words of the program' {
        try { Get-CrlAgentCrl "$www\no-such.crl" | Out-Null; $false } catch { $_.Exception.Message -match 'no-such' }
    }
}

# What one host without a domain, a cluster or an HSM cannot show.
function Show-Rest {
    if ((Get-CimInstance Win32_ComputerSystem).PartOfDomain) {
        $base = ([ADSI]'LDAP://RootDSE').configurationNamingContext
        Show-Fact 'V45' 'signed LDAP bind to each domain controller: exit code for the CDP container' {
            Invoke-Agent check --url "ldap:///CN=CDP,CN=Public Key Services,CN=Services,$base`?certificateRevocationList?base?objectClass=*" | Out-Null
            $script:code
        }
    } else {
        Write-Hand 'V45' 'in a domain: crlagent check --url ldap:///... reaches each domain controller with a signed bind'
    }
    Write-Hand 'V82' 'with reserve-crl on and key access for the account: pre-upgrade, reserve release with the HSM away, post-upgrade; the CRL is replaced'
    Write-Hand 'V55' 'in a domain: what the attribute of an unused CDP object holds (ldp.exe)'
    Test-Fact 'V46' 'the cluster API is on this Windows' { Test-Path (Join-Path $env:SystemRoot 'System32\clusapi.dll') }
    Write-Hand 'V46' 'on a failover cluster: pre-upgrade takes the CA resource offline, post-upgrade brings it online'
    Write-Hand 'V57' 'on a failover cluster: the CA resource stays offline over a fail-over and a restart of the cluster service during a pause'
    Write-Hand 'V58' 'on a failover cluster: Grant-ClusterAccess gives NT SERVICE\crlagent what it needs'
    Write-Hand 'V59' 'a certificate that expires within the hour, in another time zone: the entries of the CA database are compared as UTC'
    Write-Hand 'V63' 'with an Online Responder: crlagent check --cert FILE --issuer CA.pem judges its answers without a complaint'
    Write-Hand 'V61' 'with IIS: the log shows 304 and cs(If-None-Match) for the looks of the service, 200 after crlagent check'
    Write-Hand 'V62' 'with mail or webhook: nothing is told of the stopped CA during a pause, and the count of what was muted is in the report'
    Write-Hand 'V52' 'set the clock back an hour during a pause: the minimum stop time is still waited, and it is told'
    Write-Hand 'V53' 'with a Luna client: which code the key test gives, and after how long, while the HSM is away'
    Write-Hand 'V54' 'with a Luna client: how long CertSvc takes to stop while the HSM is away'
}

# Calls that Windows gives no limit: a directory that is silent in its TLS handshake, a share on an address of nobody (TEST-NET-1).
function Test-Silence {
    $silent = New-Object Net.Sockets.TcpListener([Net.IPAddress]::Loopback, ($Port + 3))
    $silent.Start()
    try {
        $directory = 'ldaps://127.0.0.1:' + ($Port + 3) + '/cn=x?certificateRevocationList'
        $began = Get-Date
        $report = (Invoke-Agent check --url $directory --url '\\192.0.2.1\pki\x.crl' --timeout 3s --format json) -join "`n" | ConvertFrom-Json
        $seconds = ((Get-Date) - $began).TotalSeconds
        Test-Fact 'V96' 'a silent directory and a dead share: the report comes, and in time' { $report.locations.Count -eq 2 -and $seconds -lt 20 }
        Test-Fact 'V96' 'neither could be had' { @($report.locations | Where-Object { $_.status -eq 'ok' }).Count -eq 0 }
        Show-Fact 'V96' 'what each is called' { ($report.locations | ForEach-Object { $_.status + ': ' + $_.detail }) -join '; ' }
    } finally {
        $silent.Stop()
    }
}

# https against the Windows store: a certificate that it trusts, and then no more.
function Test-Tls {
    $tlsPort = $Port + 2
    $cert = New-SelfSignedCertificate -DnsName localhost -CertStoreLocation Cert:\LocalMachine\My
    $file = Join-Path $Folder 'tls.cer'
    Export-Certificate -Cert $cert -FilePath $file | Out-Null
    Invoke-Tool 'netsh.exe' @('http', 'add', 'sslcert', "ipport=0.0.0.0:$tlsPort", "certhash=$($cert.Thumbprint)", 'appid={8D0B6B0E-5A0F-4C86-9A5E-6D5ED2E0C1A7}') | Out-Null
    $web = Start-Listener "https://localhost:$tlsPort/"
    try {
        Import-Certificate $file -CertStoreLocation Cert:\LocalMachine\Root | Out-Null
        $url = "https://localhost:$tlsPort/issuing.crl"
        Test-Fact 'V56' 'https is verified against the Windows store: trusted' {
            Wait-Until 20 { Invoke-Agent crl show $url | Out-Null; $script:code -eq 0 }
        }
        Remove-Item "Cert:\LocalMachine\Root\$($cert.Thumbprint)"
        Test-Fact 'V56' 'and refused when it is not trusted any more' { Invoke-Agent crl show $url | Out-Null; $script:code -ne 0 }
    } finally {
        Stop-Job $web -ErrorAction SilentlyContinue
        Invoke-Tool 'netsh.exe' @('http', 'delete', 'sslcert', "ipport=0.0.0.0:$tlsPort") | Out-Null
        Remove-Item "Cert:\LocalMachine\My\$($cert.Thumbprint)" -ErrorAction SilentlyContinue
    }
}

function Test-Removal {
    if (-not $OldMsi) { Write-Hand 'V20' 'downgrade is refused: give -OldMsi' }
    if ($OldMsi) {
        Test-Fact 'V20' 'downgrade is refused' { (Invoke-Setup @('/i', "`"$OldMsi`"")) -ne 0 }
    }
    $repair = @('/i', "`"$Msi`"", 'REINSTALL=ALL', 'REINSTALLMODE=omus')
    $is = { param($mode, $state) $s = Get-CimInstance Win32_Service -Filter "Name='crlagent'"; $s.StartMode -eq $mode -and $s.State -eq $state }
    Start-Service crlagent
    Set-Service crlagent -StartupType Manual
    Test-Fact 'V22' 'repair: a manual one that runs stays manual and runs' { (Invoke-Setup $repair) -eq 0 -and (& $is 'Manual' 'Running') }
    Stop-Service crlagent
    Test-Fact 'V22' 'repair: a manual one that is stopped stays so' { (Invoke-Setup $repair) -eq 0 -and (& $is 'Manual' 'Stopped') }
    Set-Service crlagent -StartupType Automatic
    Test-Fact 'V22' 'repair: an automatic one that is stopped stays stopped' { (Invoke-Setup $repair) -eq 0 -and (& $is 'Auto' 'Stopped') }
    Set-Service crlagent -StartupType Disabled
    Test-Fact 'V22' 'repair: a disabled one goes through and stays disabled' { (Invoke-Setup $repair) -eq 0 -and (& $is 'Disabled' 'Stopped') }
    if ($OldMsi) {
        Invoke-Setup @('/x', "`"$Msi`"") | Out-Null
        Invoke-Setup @('/i', "`"$OldMsi`"") | Out-Null
        Set-Service crlagent -StartupType Manual
        Test-Fact 'V22' 'upgrade: a manual one that runs stays manual and runs' { (Invoke-Setup @('/i', "`"$Msi`"")) -eq 0 -and (& $is 'Manual' 'Running') }
    } else {
        Write-Hand 'V22' 'upgrade of a manual service: give -OldMsi'
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
New-LocalGroup -Name 'crlverify-operators' | Out-Null
Start-Web
$finished = $false
try {
    Install-Pki
    Test-Setup
    Test-Hardening
    Test-Grant
    Test-User
    Test-Worker 'NT SERVICE\crlagent'
    Test-WorkerAsSystem
    Test-Ca
    Test-Tls
    Test-Silence
    Test-Flow
    Show-Rest
    Test-Revoke
    Test-Removal
    $finished = $true
} finally {
    Stop-Job $script:web -ErrorAction SilentlyContinue
    Remove-LocalGroup -Name 'crlverify-operators' -ErrorAction SilentlyContinue
    Uninstall-AdcsCertificationAuthority -Force -ErrorAction SilentlyContinue | Out-Null
    if (-not $finished) { Write-Output 'FAIL the script did not come to its end' }
}
Write-Output "$($script:seen.Count) facts, $script:failed failed"
exit [int]($script:failed -gt 0)
