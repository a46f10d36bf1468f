-- Changes to tables that wixl writes; one statement per line, run in order by build.sh.
-- The service starts when asked for (STARTSERVICE) and, at an upgrade, only when it used to start by itself.
UPDATE `Component` SET `Condition` = 'STARTSERVICE = "1" AND (NOT FORMERSTART OR FORMERSTART = "#2")' WHERE `Component` = 'AgentStart'
-- The old version is removed inside the transaction of the new one: a failure brings it back.
UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'
-- Public properties that reach the elevated side of setup.
UPDATE `Property` SET `Value` = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;SERVICEACCOUNT;CONFIGFILE;STARTSERVICE;PURGE;FORMERSTART;FORMERACCOUNT;FORMERCONFIG;MAINTENANCE;PURGECONFIG;PURGESTATE;PURGELOGS;PURGEREPORTS;PURGERESERVE;PURGESECRETS;PURGEGRANTS;PURGEDATA;OPERATORS;FORMEROPERATORS;GRANTS;GRANTSWARNING' WHERE `Property` = 'SecureCustomProperties'
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
-- Recovery actions and the like (table MsiServiceConfig) are set after the service exists.
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('MsiConfigureServices', 'VersionMsi >= "5.00"', 5850)
-- A maintenance in progress leaves this file in the state folder; setup then refuses (condition in crlagent.wxs).
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('MAINTENANCE', 'FindMaintenance')
-- Records of 'crlagent grant' leave this file in their folder: a removal says so in its log, one with PURGE=1 is refused.
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('GRANTS', 'FindGrants')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('WarnGrants', 51, 'GRANTSWARNING', 'Rights given by crlagent grant stay in force after this removal. Take them back with crlagent revoke (of this installation or of the zip); the former access lists are kept in [DATAGRANTS]')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('WarnGrants', 'GRANTS AND REMOVE = "ALL" AND NOT UPGRADINGPRODUCTCODE', 1020)
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
-- A service that somebody had set to manual or disabled stays so over an upgrade (Wine's sc.exe knows no 'config': not seen there).
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepManual', 3170, 'INSTALLFOLDER', '"[System64Folder]sc.exe" config crlagent start= demand')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('KeepDisabled', 3170, 'INSTALLFOLDER', '"[System64Folder]sc.exe" config crlagent start= disabled')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepManual', 'FORMERSTART = "#3" AND NOT REMOVE', 5860)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('KeepDisabled', 'FORMERSTART = "#4" AND NOT REMOVE', 5861)
