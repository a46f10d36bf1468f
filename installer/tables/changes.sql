-- Changes to tables that wixl writes; one statement per line, run in order by build.sh.
-- The service starts when asked for (STARTSERVICE): a new one, and at upgrade and repair one that ran before. The condition is that of the action, which Windows Installer evaluates each time; that of a component it would keep from the first installation.
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('FORMERRUNNING', 'FindRunning')
UPDATE `InstallExecuteSequence` SET `Condition` = 'STARTSERVICE = "1" AND (NOT FORMERSTART OR FORMERRUNNING)' WHERE `Action` = 'StartServices'
-- The old version is removed inside the transaction of the new one: a failure brings it back.
UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'
-- Public properties that reach the elevated side of setup.
UPDATE `Property` SET `Value` = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;SERVICEACCOUNT;CONFIGFILE;STARTSERVICE;PURGE;FORMERSTART;FORMERRUNNING;FORMERACCOUNT;FORMERCONFIG;MAINTENANCE;PURGECONFIG;PURGESTATE;PURGELOGS;PURGEREPORTS;PURGERESERVE;PURGESECRETS;PURGEGRANTS;PURGEDATA;OPERATORS;FORMEROPERATORS;GRANTS;GRANTSWARNING' WHERE `Property` = 'SecureCustomProperties'
-- Command line first, then what the former installation was told, then the default, which is that of 'crlagent install'.
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepAccount', 51, 'SERVICEACCOUNT', '[FORMERACCOUNT]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('DefaultAccount', 51, 'SERVICEACCOUNT', 'NT SERVICE\crlagent')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepConfig', 51, 'CONFIGFILE', '[FORMERCONFIG]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepOperators', 51, 'OPERATORS', '[FORMEROPERATORS]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('ConfigArgument', 51, 'CONFIGARGUMENT', ' --config "[CONFIGFILE]"')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepAccount', 'FORMERACCOUNT AND NOT SERVICEACCOUNT', 110)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('DefaultAccount', 'NOT SERVICEACCOUNT', 111)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepConfig', 'FORMERCONFIG AND NOT CONFIGFILE', 112)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('ConfigArgument', 'CONFIGFILE', 113)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepOperators', 'FORMEROPERATORS AND NOT OPERATORS AND NOT REMOVE', 90)
-- Whoever is not LocalSystem keeps three privileges: those of 'crlagent install' (agent/verb_install.c).
UPDATE `Component` SET `Condition` = 'NOT (SERVICEACCOUNT ~= "LocalSystem" OR SERVICEACCOUNT ~= "NT AUTHORITY\SYSTEM")' WHERE `Component` = 'AgentPrivileges'
-- Delayed start and the like (table MsiServiceConfig) are set after the service exists. Recovery actions by sc.exe: of the table made for them (MsiServiceConfigFailureActions) Microsoft says that it does not work as expected.
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('MsiConfigureServices', 'VersionMsi >= "5.00"', 5850)
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('SetRecovery', 3170, 'INSTALLFOLDER', '"[System64Folder]sc.exe" failure crlagent reset= 86400 actions= restart/60000/restart/60000/restart/60000')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('SetRecovery', 'NOT REMOVE', 5855)
-- A maintenance in progress leaves this file in the data folder; setup then refuses (condition in crlagent.wxs).
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('MAINTENANCE', 'FindMaintenance')
-- Records of 'crlagent grant' leave this file there: a removal says so in its log, one with PURGE=1 is refused.
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('GRANTS', 'FindGrants')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('WarnGrants', 51, 'GRANTSWARNING', 'Rights given by crlagent grant stay in force after this removal. Take them back with crlagent revoke (of this installation or of the zip); the former access lists are kept in [DATAGRANTS]')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('WarnGrants', 'GRANTS AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1020)
-- Both again as SYSTEM, before anything is touched (3106 = program, deferred, as SYSTEM, its failure ends setup): the search above may have run minutes before, in the half of msiexec that waits for a person's consent. The names stand in the message. For granted rights the records themselves are looked at, in a folder that the service cannot write to.
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('AMaintenanceHoldsThisCA', 3106, 'ProgramFiles64Folder', '"[System64Folder]cmd.exe" /d /c if exist "[DATAFOLDER]maintenance.open" exit 1')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('RightsAreStillGranted', 3106, 'ProgramFiles64Folder', '"[System64Folder]cmd.exe" /d /c if exist "[DATAGRANTS]*.txt" exit 1')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('AMaintenanceHoldsThisCA', '', 1502)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('RightsAreStillGranted', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1503)
-- PURGE=1 removes data (table RemoveFile: known names and all others; Wine knows no wildcards there), only when the product itself is removed and not by the removal inside an upgrade.
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeConfig', 51, 'PURGECONFIG', '[DATACONFIG]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeState', 51, 'PURGESTATE', '[DATASTATE]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeLogs', 51, 'PURGELOGS', '[DATALOGS]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeReports', 51, 'PURGEREPORTS', '[DATAREPORTS]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeReserve', 51, 'PURGERESERVE', '[DATARESERVE]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeSecrets', 51, 'PURGESECRETS', '[DATASECRETS]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeGrants', 51, 'PURGEGRANTS', '[DATAGRANTS]')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('PurgeData', 51, 'PURGEDATA', '[DATAFOLDER]')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeConfig', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1010)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeState', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1011)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeLogs', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1012)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeReports', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1013)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeReserve', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1014)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeSecrets', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1016)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeGrants', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1017)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('PurgeData', 'PURGE = "1" AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1015)
-- The 64-bit view of the registry, which is where this package writes (18 = raw value + 64 bit).
UPDATE `RegLocator` SET `Type` = 18
-- A service that somebody had set to manual or disabled stays so over upgrade and repair (Wine's sc.exe knows no 'config': not seen there). After StartServices: a disabled one that ran could not be started any more.
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepManual', 3170, 'INSTALLFOLDER', '"[System64Folder]sc.exe" config crlagent start= demand')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepDisabled', 3170, 'INSTALLFOLDER', '"[System64Folder]sc.exe" config crlagent start= disabled')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepManual', 'FORMERSTART = "#3" AND NOT REMOVE', 5905)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepDisabled', 'FORMERSTART = "#4" AND NOT REMOVE', 5906)
