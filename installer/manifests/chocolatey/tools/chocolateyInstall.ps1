# SPDX-License-Identifier: Apache-2.0
$ErrorActionPreference = 'Stop'
Install-ChocolateyPackage -PackageName 'crlagent' -FileType 'msi' -SilentArgs '/qn /norestart' `
    -Url64bit 'https://packages.example/@MSI@' -Checksum64 '@SHA256@' -ChecksumType64 'sha256' -ValidExitCodes @(0, 3010)
